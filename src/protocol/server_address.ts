/** Where a server is and how a client proves itself to it. */

/** What the TLS handshake showed of the server, for the decision whether to trust it. */
export interface ServerCertificate {
  /** SHA-256 of the certificate, lower-case hex pairs joined by `:`. */
  readonly fingerprint: string;
  /** True when the chain leads to a trusted CA and the name fits. */
  readonly trusted: boolean;
  /** Why it is not trusted. */
  readonly reason?: string;
}

/** An HTTP proxy that makes connections to servers. */
export interface ProxyAddress {
  readonly host: string;
  readonly port: number;
  /** Value of `Proxy-Authorization`. */
  readonly authorization?: string;
}

/** A server and how to reach it. */
export interface ServerAddress {
  readonly host: string;
  /** Default 8007. */
  readonly port?: number;
  /** Goes through this proxy. */
  readonly proxy?: ProxyAddress;
  /** `Authorization` or `Cookie`, and what else the server wants with each request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Throws to refuse the server. Called before anything is sent. Without it, `trusted` decides. */
  readonly checkCertificate?: (certificate: ServerCertificate) => void | Promise<void>;
}

/** Which snapshot a session is about. */
export interface SessionTarget {
  readonly store: string;
  /** Namespace path; empty or absent for the root. */
  readonly ns?: string;
  readonly backupType: "vm" | "ct" | "host";
  readonly backupId: string;
  /** Seconds since the epoch. */
  readonly backupTime: number;
  readonly debug?: boolean;
}
