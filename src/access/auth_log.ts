/** The log of logins that tools like fail2ban read (`spec/rest-conventions.md` §18). */

/** Receives one line per login or failure. */
export interface AuthLog {
  /** `user` is what was claimed, `peer` is `[ip]:port`, `reason` says why; none of them holds a secret. */
  failure(peer: string, user: string, reason: string): void;
  success(user: string): void;
}

function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "?").slice(0, 300);
}

function localTime(now: Date): string {
  const pad = (value: number) => String(Math.abs(value)).padStart(2, "0");
  const offset = -now.getTimezoneOffset();
  const local = new Date(now.getTime() + offset * 60_000).toISOString().slice(0, 19);
  return `${local}${offset < 0 ? "-" : "+"}${pad(Math.trunc(offset / 60))}:${pad(offset % 60)}`;
}

/** An {@link AuthLog} whose lines go to `write`. */
export function authLog(write: (line: string) => void): AuthLog {
  return {
    failure(peer, user, reason) {
      write(
        `${localTime(new Date())}: authentication failure; rhost=${peer} user=${oneLine(user)} msg=${oneLine(reason)}`,
      );
    },
    success(user) {
      write(`${localTime(new Date())}: successful auth for user '${oneLine(user)}'`);
    },
  };
}
