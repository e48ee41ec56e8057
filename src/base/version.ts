/** Version of dozo itself. */
export const DOZO_VERSION = "0.1.0";

/** What the API calls itself, so that PBS clients and peers turn their newer features on (`spec/rest-conventions.md` §9). */
export const PBS_COMPAT = { version: "4.2", release: "3", repoid: "dozo" } as const;
