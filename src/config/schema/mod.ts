/** Schema room: types, shared parameter types and the checker with the error texts of PBS. */
export { checkForm, checkJson, ParameterError, type ParameterPairs } from "./check.ts";
export { FractionNumber, parseJson } from "./convert.ts";
export { bool, choice, integer, list, text, type TextRules } from "./types.ts";
export * from "./common.ts";
