/** Parses a `multipart/x-mixed-replace` stream into pictures. Pure; bounded. */

const LARGEST = 4_000_000;
const HEAD_END = [13, 10, 13, 10];

export class MultipartParser {
  /** @type {Uint8Array<ArrayBuffer>} */
  #bytes = new Uint8Array(0);

  /** @param {Uint8Array} chunk @returns {{ headers: Headers, body: Uint8Array<ArrayBuffer> }[]} whole parts; throws RangeError for one too large */
  feed(chunk) {
    const joined = new Uint8Array(this.#bytes.length + chunk.length);
    joined.set(this.#bytes);
    joined.set(chunk, this.#bytes.length);
    this.#bytes = joined;
    const parts = [];
    for (let part = this.#part(); part; part = this.#part()) parts.push(part);
    if (this.#bytes.length > LARGEST) throw new RangeError("a part is too large");
    return parts;
  }

  #part() {
    const end = find(this.#bytes, HEAD_END);
    if (end < 0) return null;
    const headers = headersOf(new TextDecoder().decode(this.#bytes.subarray(0, end)));
    const length = Number(headers.get("content-length"));
    if (!(length > 0 && length <= LARGEST)) throw new RangeError(`a part of ${length} bytes`);
    const start = end + HEAD_END.length;
    if (this.#bytes.length < start + length) return null;
    const body = this.#bytes.slice(start, start + length);
    this.#bytes = this.#bytes.slice(start + length);
    return { headers, body };
  }
}

/** @param {string} text the boundary's line and the headers */
function headersOf(text) {
  const headers = new Headers();
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0 && !line.startsWith("--")) headers.append(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  return headers;
}

/** @param {Uint8Array} bytes @param {number[]} wanted */
function find(bytes, wanted) {
  for (let at = bytes.indexOf(wanted[0]); at >= 0; at = bytes.indexOf(wanted[0], at + 1)) {
    if (wanted.every((byte, offset) => bytes[at + offset] === byte)) return at;
  }
  return -1;
}
