/** Keys on paper: text or a printable page, with QR codes (`spec/manifest-and-crypto.md` §2.7). */
import { DozoError } from "../base/errors.ts";
import { formatKeyFilePretty, parseKeyFile } from "./key_file.ts";
import { qrModules, qrSvg, qrText } from "./qr_code.ts";

/** Options of both forms. */
export interface PaperKeyOptions {
  /** One line that heads the paper. */
  subject?: string;
  /** Offset of local time from UTC in minutes, for the times in a key file. */
  utcOffset?: number | ((epoch: number) => number);
}

const BEGIN = "-----BEGIN PROXMOX BACKUP KEY-----";
const END = "-----END PROXMOX BACKUP KEY-----";
const PEM_BEGIN = ["-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----"];
const MIN_PEM_LINES = 20;
const HTML_BLOCK = 20;
const TEXT_BLOCK = 5;
const MAX_INPUT_SIZE = 64 * 1024;

const STYLE = `
body { font: 10pt monospace; color: #000; background: #fff; margin: 10mm; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 5mm; }
img { display: block; width: 500pt; height: 500pt; max-width: 100%; margin: 0 auto; }
section + section { break-before: page; }
@media print { body { margin: 0; } }
`;

/**
 * Text form of a key file (JSON) or an RSA private key (PEM). Throws {@link DozoError} when the input is neither or the
 * subject has several lines.
 */
export function paperKeyText(input: string, options: PaperKeyOptions = {}): string {
  const { subject } = options;
  const head = subject === undefined ? "" : `Subject: ${checkSubject(subject)}\n\n`;
  const pem = pemLines(input);
  if (pem === null) {
    const json = formatKeyFilePretty(parseKeyFile(input), options.utcOffset);
    return `${head}${BEGIN}\n${json}\n${END}\n${qrText(qrModules(json))}\n`;
  }
  return head + blocks(pem, TEXT_BLOCK).map(({ first, lines }) => {
    const numbered = lines.map((line, i) => `${String(first + i).padStart(2)}: ${line}\n`).join("");
    return `${numbered}${qrText(qrModules(lines.join("\n")))}\n\f\n`;
  }).join("");
}

/** Self-contained HTML page of the same content. Throws as {@link paperKeyText}. */
export function paperKeyHtml(input: string, options: PaperKeyOptions = {}): string {
  const { subject } = options;
  const pem = pemLines(input);
  const sections = pem === null ? [keyFileSection(input, options)] : blocks(pem, HTML_BLOCK).map(({ first, lines }) => {
    const numbered = lines.map((line, i) => `${String(first + i).padStart(2, "0")}: ${line}`).join("\n");
    return section(numbered, lines.join("\n"));
  });
  const head = subject === undefined ? "" : `<p>Subject: ${escapeHtml(checkSubject(subject))}</p>\n`;
  return `<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Backup key on paper</title>\n` +
    `<style>${STYLE}</style>\n</head>\n<body>\n${head}${sections.join("\n")}\n</body>\n</html>\n`;
}

/**
 * Key file JSON typed or scanned from paper: what stands between the two marker lines, else the whole text. Check it with
 * `parseKeyFile`.
 */
export function extractPaperKey(text: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  return (begin >= 0 && end > begin ? text.slice(begin + BEGIN.length, end) : text).trim();
}

function keyFileSection(input: string, options: PaperKeyOptions): string {
  const json = formatKeyFilePretty(parseKeyFile(input), options.utcOffset);
  return section(`${BEGIN}\n${json}\n${END}`, json);
}

function section(shown: string, encoded: string): string {
  const image = btoa(qrSvg(qrModules(encoded)));
  return `<section>\n<pre>${escapeHtml(shown)}</pre>\n` +
    `<img alt="QR code of the text above" src="data:image/svg+xml;base64,${image}">\n</section>`;
}

/** Non-empty lines of a PEM private key, null when the input does not begin like one. */
function pemLines(input: string): string[] | null {
  if (input.length > MAX_INPUT_SIZE) throw new DozoError("this is no key: the text is too long");
  const lines = input.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
  if (!PEM_BEGIN.includes(lines[0])) return null;
  const end = lines[0].replace("BEGIN", "END");
  if (lines.length < MIN_PEM_LINES || lines.at(-1) !== end) {
    throw new DozoError(`the private key is cut off: it must have at least ${MIN_PEM_LINES} lines and end in '${end}'`);
  }
  return lines;
}

function blocks(lines: string[], size: number): { first: number; lines: string[] }[] {
  return Array.from({ length: Math.ceil(lines.length / size) }, (_, i) => {
    return { first: i * size, lines: lines.slice(i * size, (i + 1) * size) };
  });
}

function checkSubject(subject: string): string {
  if (/\p{Cc}/u.test(subject)) throw new DozoError("the subject of a paper key is one line of text");
  return subject;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
