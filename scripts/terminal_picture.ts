/** `deno run -A scripts/terminal_picture.ts OUTPUT.svg < TEXT`: draws terminal output as an SVG picture for the README. */
const [output] = Deno.args;
const text = await new Response(Deno.stdin.readable).text();
const lines = text.trimEnd().split("\n");
const width = Math.max(...lines.map((line) => line.length)) * 7.8 + 32;
const height = lines.length * 18 + 48;
const escape = (line: string): string => line.replace(/&/g, "&amp;").replace(/</g, "&lt;");
const rows = lines.map((line, i) => {
  const strong = /^(?:server|datastore|trees|backup|second backup|restore|compare|The server runs)\b/.test(line);
  const fill = line.startsWith("$") ? "#7ee787" : strong ? "#ffffff" : "#c9d1d9";
  return `  <text x="16" y="${50 + i * 18}" fill="${fill}" xml:space="preserve">${escape(line)}</text>`;
});
await Deno.writeTextFile(
  output,
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"
  font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" role="img">
  <title>${escape(lines[0])}</title>
  <rect width="100%" height="100%" rx="8" fill="#0d1117"/>
  <circle cx="20" cy="18" r="5" fill="#ff5f57"/><circle cx="38" cy="18" r="5" fill="#febc2e"/><circle cx="56" cy="18" r="5" fill="#28c840"/>
${rows.join("\n")}
</svg>
`,
);
