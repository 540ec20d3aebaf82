// Verify a webhook with nothing but Node's own crypto: verify(headers, body, secrets).
import { createHmac, timingSafeEqual } from "node:crypto";

const TOLERANCE_SECONDS = 300;

/** The message id, or an Error: answer 400 then. `body` is the raw Buffer, before any JSON parsing. */
export function verify(headers, body, secrets, now = Date.now() / 1000) {
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"];
  const given = headers["webhook-signature"];
  if (!id || !/^[0-9]+$/.test(timestamp ?? "") || !given) throw new Error("a webhook header is missing");
  if (Math.abs(now - Number(timestamp)) > TOLERANCE_SECONDS) throw new Error("too old, or from the future");
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  for (const secret of secrets) {
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    const expected = Buffer.from("v1," + createHmac("sha256", key).update(signed).digest("base64"));
    for (const candidate of given.split(" ").map((text) => Buffer.from(text))) {
      if (candidate.length === expected.length && timingSafeEqual(candidate, expected)) return id;
    }
  }
  throw new Error("no signature by a secret of ours");
}
