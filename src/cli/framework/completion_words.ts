/** Splits the line of a completion request the way bash hands it over. */

/** Finished words in front of the cursor and the word under it; what stands behind byte `point` is ignored. */
export function splitForCompletion(line: string, point: number): { words: string[]; current: string } {
  const bytes = new TextEncoder().encode(line).subarray(0, point);
  const text = new TextDecoder().decode(bytes);
  const words: string[] = [];
  let current = "";
  let quote = "";
  let open = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (quote) {
      if (char === quote) quote = "";
      else current += char;
    } else if (char === "'" || char === '"') {
      quote = char;
      open = true;
    } else if (char === "\\" && i + 1 < text.length) {
      current += text[++i];
      open = true;
    } else if (/\s/.test(char)) {
      if (current || open) words.push(current);
      current = "";
      open = false;
    } else {
      current += char;
    }
  }
  return { words, current };
}
