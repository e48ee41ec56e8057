/** Test help: a TLS server with the few calls that logging in needs. */
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { selfSigned } from "../config/certificate.ts";

/** A request as the fake saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** What a fake answers: a status with a text, or the `data` of a JSON answer. */
export type FakeAnswer = { readonly status: number; readonly text: string } | { readonly data: unknown };

/** A running fake. */
export interface FakePbs {
  readonly port: number;
  readonly seen: SeenRequest[];
}

/** A key and a certificate for it. */
export function testCertificate(): { key: string; cert: string } {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const base64 = btoa(String.fromCharCode(...selfSigned(["localhost"], keys)));
  const lines = base64.replace(/.{64}/g, "$&\n");
  return {
    key: keys.privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}

/** Runs `work` with a server that answers every request by `answer`. */
export async function withFakePbs(
  answer: (request: SeenRequest) => FakeAnswer,
  work: (fake: FakePbs) => Promise<void>,
): Promise<void> {
  const seen: SeenRequest[] = [];
  const server = createServer(testCertificate(), async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    const headers = request.headers as Record<string, string | undefined>;
    const one = { method: request.method ?? "", path: request.url ?? "", headers, body };
    seen.push(one);
    const given = answer(one);
    if ("data" in given) response.end(JSON.stringify(given));
    else {
      response.statusCode = given.status;
      response.end(given.text);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await work({ port: (server.address() as AddressInfo).port, seen });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
