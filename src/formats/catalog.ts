/** The catalog stream `catalog.pcat1`, a listing of the directory archives of a snapshot (`spec/catalog.md`). */
export * from "./catalog_entry.ts";
export * from "./catalog_reader.ts";
export * from "./catalog_writer.ts";
