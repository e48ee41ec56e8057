import { z } from "zod";
import { integer, text } from "../../config/schema/mod.ts";
import { runServer } from "../../server/run.ts";
import { command, type Tool } from "../framework/command.ts";

const server = command({
  path: "",
  summary: "Run the backup server until it is told to stop.",
  params: z.object({
    root: text({
      description:
        "Directory of all state: configuration, logs and locks. Without it the system's places named dozo are used.",
    }).optional(),
    listen: text({ description: "ADDRESS:PORT, [IPV6-ADDRESS]:PORT or PORT to listen on; port 0 takes a free one." })
      .optional().meta({ default: ":8007" }),
    workers: integer(1, 64).optional().meta({
      description: "Processes that share the port, by default one per core, at most 4.",
    }),
    "admin-password-file": text({
      description: "File whose first line becomes the password of the first administrator, instead of a random one.",
    }).optional(),
    "shutdown-timeout": integer(0, 86400).default(60).meta({
      description: "Seconds that running sessions get to finish when the server stops.",
    }),
  }),
  async run(params) {
    await runServer({
      root: params.root,
      listen: params.listen,
      workers: params.workers,
      adminPasswordFile: params["admin-password-file"],
      shutdownTimeout: params["shutdown-timeout"],
    });
  },
});

/** The server, which is one command without a word. */
export function serverTool(name: string): Tool {
  return { name, commands: [server] };
}
