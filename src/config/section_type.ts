/** Typed reading and writing of the sections of a configuration file. Keys that a schema does not know stay as they are. */
import type { z } from "zod";
import { DozoError } from "../base/errors.ts";
import { type ConfigSection, formatSectionConfig, parseSectionConfig } from "../formats/section_config.ts";
import { checkForm, ParameterError } from "./schema/check.ts";
import { kindOf } from "./schema/convert.ts";

/** Sections of a file in file order, found by `type` and `id`. */
export class Sections {
  constructor(readonly all: readonly ConfigSection[]) {}

  /** Parses a file. Throws {@link DozoError} with its name. */
  static parse(text: string, file: string): Sections {
    try {
      return new Sections(parseSectionConfig(text));
    } catch (error) {
      if (!(error instanceof DozoError)) throw error;
      throw new DozoError(`parsing "${file}" failed: ${error.message}`, { cause: error });
    }
  }

  /** The file's text. */
  format(): string {
    return formatSectionConfig(this.all);
  }

  get(type: string, id: string): ConfigSection | undefined {
    return this.all.find((section) => section.type === type && section.id === id);
  }

  /** With `section` in the place of the one of the same type and id, or at the end. */
  with(section: ConfigSection): Sections {
    const at = this.all.findIndex((one) => one.type === section.type && one.id === section.id);
    return new Sections(at < 0 ? [...this.all, section] : this.all.with(at, section));
  }

  /** Without the sections for which `drop` holds. */
  without(drop: (section: ConfigSection) => boolean): Sections {
    return new Sections(this.all.filter((section) => !drop(section)));
  }
}

/** A section type: its name in the file, the name of its id in the API, and the schema of the other keys. */
export class SectionType<S extends z.ZodObject> {
  constructor(readonly type: string, readonly idName: string, readonly schema: S) {}

  /** All sections of this type as API objects: the id under its name, then the known keys. Throws on a value that is out of bounds. */
  list(sections: Sections): (z.output<S> & Record<string, unknown>)[] {
    return sections.all.filter((section) => section.type === this.type).map((section) => this.read(section));
  }

  /** One section as an API object. */
  read(section: ConfigSection): z.output<S> & Record<string, unknown> {
    const pairs: [string, string][] = [];
    for (const [key, values] of section.properties) {
      if (Object.hasOwn(this.schema.shape, key)) { for (const value of values) pairs.push([key, value]); }
    }
    try {
      return { [this.idName]: section.id, ...checkForm(this.schema, pairs) };
    } catch (error) {
      if (!(error instanceof ParameterError)) throw error;
      const [key, fault] = [...error.errors][0];
      throw new DozoError(`section '${section.type}: ${section.id}' - property '${key}': ${fault}`, { cause: error });
    }
  }

  /** A new section with the given keys; absent and undefined ones are left out. */
  create(id: string, values: Readonly<Record<string, unknown>>): ConfigSection {
    return this.change({ type: this.type, id, properties: new Map() }, values, []);
  }

  /** `section` without the keys in `remove` and with the known keys of `values` set; undefined leaves a key alone, an empty text removes it. */
  change(
    section: ConfigSection,
    values: Readonly<Record<string, unknown>>,
    remove: readonly string[],
  ): ConfigSection {
    const properties = new Map(section.properties);
    for (const key of remove) properties.delete(key);
    for (const key of Object.keys(this.schema.shape)) {
      const value = values[key];
      if (value === undefined || value === null) continue;
      if (value === "") properties.delete(key);
      else if (kindOf(this.schema.shape[key]) === "array" && Array.isArray(value)) {
        properties.set(key, value.map(String));
      } else properties.set(key, [String(value)]);
    }
    return { ...section, properties };
  }
}
