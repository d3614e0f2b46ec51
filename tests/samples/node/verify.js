// Reads [{secret, headers, body}] as JSON from standard input; prints for each what came of verifying it.
// v1 by the package standardwebhooks, v1a by what Node itself has: nothing of it was written for jobwire.
"use strict";
const { createPublicKey, verify } = require("node:crypto");
const { Webhook } = require("standardwebhooks");

const SPKI = Buffer.from("302a300506032b6570032100", "hex"); // RFC 8410: what stands before the 32 bytes of a key

function ed25519({ secret, headers, body }) {
  const der = Buffer.concat([SPKI, Buffer.from(secret.slice("whpk_".length), "base64")]);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  const signed = Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
  const fits = headers["webhook-signature"]
    .split(" ")
    .filter((entry) => entry.startsWith("v1a,"))
    .some((entry) => verify(null, signed, key, Buffer.from(entry.slice(4), "base64")));
  if (!fits) throw new Error("No matching signature found");
  return JSON.parse(body);
}

const asked = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const answers = asked.map((one) => {
  try {
    const by = one.secret.startsWith("whpk_") ? ed25519 : () => new Webhook(one.secret).verify(one.body, one.headers);
    return { id: by(one).id };
  } catch (error) {
    return { error: error.message };
  }
});
process.stdout.write(JSON.stringify(answers));
