/** Login, tickets and trust (`spec/auth.md` §16). */
import assert from "node:assert/strict";
import { DozoError } from "../base/errors.ts";
import { type FakeAnswer, type FakePbs, type SeenRequest, withFakePbs } from "./fake_pbs_for_test.ts";
import { loadFingerprint } from "./fingerprints.ts";
import type { Repository } from "./repository.ts";
import { type Prompts, Server } from "./server.ts";
import { inPrivateHome } from "./testing.ts";
import { loadTicket } from "./tickets.ts";

const PASSWORD = "the password";

/** Answers like a server that knows one user; a ticket is as good as the password. */
function loginServer({ method, path, body, headers }: SeenRequest): FakeAnswer {
  if (path === "/api2/json/access/ticket" && method === "POST") {
    const { username, password } = JSON.parse(body);
    const good = password === PASSWORD || String(password).startsWith("PBS:me@pbs:");
    if (username !== "me@pbs" || !good) return { status: 401, text: "permission check failed." };
    return { data: { username, ticket: "PBS:me@pbs:65000000::sig+na/ture=", CSRFPreventionToken: "csrf" } };
  }
  if (path.startsWith("/api2/json/fail")) return { status: 400, text: "it does not work\n" };
  return {
    data: {
      cookie: headers["cookie"],
      csrf: headers["csrfpreventiontoken"],
      auth: headers["authorization"],
      path,
      body,
    },
  };
}

class Person implements Prompts {
  readonly said: string[] = [];
  readonly asked: string[] = [];
  constructor(readonly interactive: boolean, readonly answer = "", readonly trusts = true) {}
  password(question: string): Promise<string> {
    this.asked.push(question);
    return Promise.resolve(this.answer);
  }
  confirm(question: string): Promise<boolean> {
    this.asked.push(question);
    return Promise.resolve(this.trusts);
  }
  say(line: string): void {
    this.said.push(line);
  }
}

const VARIABLES = ["PBS_PASSWORD", "PBS_FINGERPRINT", "ALL_PROXY", "CREDENTIALS_DIRECTORY"];

/** A private home, a fake server and no variables of the person who runs the test. */
async function scene(
  answer: (request: SeenRequest) => FakeAnswer,
  work: (repository: Repository, fake: FakePbs) => Promise<void>,
): Promise<void> {
  const before = VARIABLES.map((name) => Deno.env.get(name));
  VARIABLES.forEach((name) => Deno.env.delete(name));
  try {
    await inPrivateHome(() =>
      withFakePbs(
        answer,
        (fake) => work({ authId: "me@pbs", server: "127.0.0.1", port: fake.port, datastore: "store" }, fake),
      )
    );
  } finally {
    VARIABLES.forEach((name, i) =>
      before[i] === undefined ? Deno.env.delete(name) : Deno.env.set(name, before[i] as string)
    );
  }
}

const tickets = ({ seen }: FakePbs) =>
  seen.filter(({ path }) => path.endsWith("/ticket")).map(({ body }) => JSON.parse(body).password);

Deno.test("CL-170 CL-172 the password is asked once, the certificate as well, and both are remembered", async () => {
  await scene(loginServer, async (repository, fake) => {
    const person = new Person(true, PASSWORD);
    const server = await Server.login(repository, person);
    const echo = await server.get<Record<string, string>>("echo", { a: 1, b: undefined, list: ["x", "y"] });
    assert.equal(echo.cookie, `PBSAuthCookie=${encodeURIComponent("PBS:me@pbs:65000000::sig+na/ture=")}`);
    assert.equal(echo.csrf, "csrf");
    assert.equal(echo.path, "/api2/json/echo?a=1&list=x&list=y");
    server.close();
    assert.deepEqual(person.asked.length, 2);
    assert.match(person.said.join("\n"), /fingerprint: ([0-9a-f]{2}:){31}[0-9a-f]{2}/);
    assert.match(loadFingerprint("127.0.0.1") ?? "", /^([0-9a-f]{2}:){31}/);

    const silent = new Person(false);
    (await Server.login(repository, silent)).close();
    assert.deepEqual([silent.asked, silent.said], [[], []]);
    assert.deepEqual(tickets(fake), [PASSWORD, "PBS:me@pbs:65000000::sig+na/ture="]);
    Server.logout(repository);
    assert.equal(loadTicket(repository, Math.floor(Date.now() / 1000)), undefined);
    await assert.rejects(Server.login(repository, silent), /no password input mechanism/);
  });
});

Deno.test("CL-24 CL-172 an unknown certificate is refused where nobody can be asked or the person says no", async () => {
  await scene(loginServer, async (repository, fake) => {
    Deno.env.set("PBS_PASSWORD", PASSWORD);
    await assert.rejects(Server.login(repository, new Person(false)), /certificate validation failed/);
    await assert.rejects(Server.login(repository, new Person(true, "", false)), /certificate validation failed/);
    Deno.env.set("PBS_FINGERPRINT", "00:".repeat(31) + "00");
    const person = new Person(true);
    await assert.rejects(Server.login(repository, person), /certificate validation failed/);
    assert.deepEqual(person.asked, [], "an expected fingerprint is not up to a person");
    assert.match(person.said[0], /does not match expected fingerprint/);
    assert.deepEqual(fake.seen, []);
  });
});

async function trusting(repository: Repository): Promise<void> {
  (await Server.login(repository, new Person(true, PASSWORD))).close();
}

Deno.test("a wrong password passes the server's words on; other errors keep their status", async () => {
  await scene(loginServer, async (repository) => {
    await trusting(repository);
    Deno.env.set("PBS_PASSWORD", "wrong");
    await assert.rejects(
      Server.login(repository, new Person(false), { fresh: true }),
      (error) => error instanceof DozoError && error.status === 401 && error.message === "permission check failed.",
    );
    Deno.env.set("PBS_PASSWORD", PASSWORD);
    const server = await Server.login(repository, new Person(false));
    await assert.rejects(server.get("fail"), (error) => {
      return error instanceof DozoError && error.status === 400 && error.message === "it does not work";
    });
    server.close();
  });
});

Deno.test("CL-170 a kept ticket that the server no longer takes costs a new login, not an error", async () => {
  let refuseTickets = false;
  const answer = (request: SeenRequest): FakeAnswer =>
    refuseTickets && request.body.includes("PBS:me@pbs:")
      ? { status: 401, text: "permission check failed." }
      : loginServer(request);
  await scene(answer, async (repository, fake) => {
    await trusting(repository);
    refuseTickets = true;
    Deno.env.set("PBS_PASSWORD", PASSWORD);
    (await Server.login(repository, new Person(false))).close();
    assert.deepEqual(tickets(fake).at(-1), PASSWORD);
  });
});

Deno.test("CL-06 CL-21 a token's secret goes with each request, percent-encoded, and no ticket is asked for", async () => {
  await scene(loginServer, async (repository, fake) => {
    await trusting(repository);
    fake.seen.length = 0;
    Deno.env.set("PBS_PASSWORD", "secret with spaces");
    const server = await Server.login({ ...repository, authId: "me@pbs!token" }, new Person(false));
    const { auth } = await server.post<Record<string, string>>("echo", { a: 1 });
    assert.equal(auth, "PBSAPIToken me@pbs!token:secret%20with%20spaces");
    assert.deepEqual(tickets(fake), []);
    assert.deepEqual((await server.address()).headers, { Authorization: auth });
    server.close();
  });
});

Deno.test("a second factor is asked for, and needs a person", async () => {
  const answer = (request: SeenRequest): FakeAnswer => {
    if (!request.path.endsWith("/ticket")) return loginServer(request);
    const { password, "tfa-challenge": challenge } = JSON.parse(request.body);
    if (challenge === undefined) {
      return { data: { ticket: "PBS:!tfa!%7B%22totp%22%3Atrue%7D:65000000::x", CSRFPreventionToken: "c" } };
    }
    if (password !== "totp:123456") return { status: 401, text: "permission check failed." };
    return { data: { ticket: "PBS:me@pbs:65000000::full", CSRFPreventionToken: "csrf" } };
  };
  await scene(answer, async (repository) => {
    Deno.env.set("PBS_PASSWORD", PASSWORD);
    const server = await Server.login(repository, new Person(true, "123456"));
    assert.match((await server.address()).headers["Cookie"], /full$/);
    server.close();
    await assert.rejects(Server.login(repository, new Person(false), { fresh: true }), /second factor/);
  });
});
