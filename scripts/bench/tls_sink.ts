/** Listens on a free TLS port with `FOLDER/cert` and `FOLDER/key`, prints the port, reads one connection to its end. */
const [folder] = Deno.args;
const listener = Deno.listenTls({
  hostname: "127.0.0.1",
  port: 0,
  cert: await Deno.readTextFile(`${folder}/cert`),
  key: await Deno.readTextFile(`${folder}/key`),
});
console.log((listener.addr as Deno.NetAddr).port);
const connection = await listener.accept();
const block = new Uint8Array(2 ** 18);
while ((await connection.read(block)) !== null);
await connection.write(new Uint8Array(1));
connection.close();
listener.close();
