import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { makePdf } from "../eval/make-pdf.ts";
import { extract } from "../src/extract/extract.ts";
import { createReader } from "../src/extract/reader.ts";
import { readRefusal } from "../src/extract/refusal.ts";
import { emptyFolder } from "./library.ts";

const read = (name: string, bytes: Uint8Array | string, mediaType?: string) =>
  extract({ bytes: typeof bytes === "string" ? Buffer.from(bytes) : bytes, name, mediaType });

const refused = async (promise: Promise<unknown>) =>
  readRefusal(
    await promise.then(
      () => undefined,
      (error: unknown) => error,
    ),
  );

describe("plain text", () => {
  test("is read as UTF-8 and keeps its places", async () => {
    const { text, warnings, blocks } = await read("a.txt", "Grüße\r\nan alle.\r\n\r\n東京 😀");
    expect(text).toBe("Grüße\nan alle.\n\n東京 😀");
    expect(warnings).toEqual([]);
    expect(blocks.map(({ start, end }) => text.slice(start, end))).toEqual(["Grüße\nan alle.", "東京 😀"]);
  });

  test("is read as UTF-16 with and without a mark", async () => {
    const little = Buffer.from("The harbour is open, naïve café.", "utf16le");
    expect((await read("a.txt", Buffer.concat([Buffer.from([0xff, 0xfe]), little]))).text).toBe(
      "The harbour is open, naïve café.",
    );
    expect((await read("a.txt", little)).text).toBe("The harbour is open, naïve café.");
    const big = Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(little).swap16()]);
    expect((await read("a.txt", big)).text).toBe("The harbour is open, naïve café.");
  });

  test("of an old encoding is read as Latin-1, and says so", async () => {
    const { text, warnings } = await read("a.txt", Buffer.from("Caf\u00e9 \u0080", "latin1"));
    expect(text).toBe("Café €");
    expect(warnings).toEqual([expect.stringContaining("Latin-1")]);
  });

  test("finds headings by numbers, capitals and underlining", async () => {
    const { text, blocks, title } = await read(
      "a.txt",
      "THE MANUAL\n\n1. Water\n\nDrink it.\n\n1.2 Hot water\n\nDo not.\n\nEnd\n===\n\nBye.",
    );
    expect(title).toBe("THE MANUAL");
    expect(
      blocks
        .filter(({ kind }) => kind === "heading")
        .map(({ start, end, level }) => [text.slice(start, end), level]),
    ).toEqual([
      ["THE MANUAL", 1],
      ["1. Water", 2],
      ["1.2 Hot water", 3],
      ["End\n===", 1],
    ]);
  });
});

test("Markdown is stored as it was written, with its blocks in place", async () => {
  const source =
    "---\ntitle: Ferry guide\n---\n# Ferry\n\nIt *sails* daily.\n\n- one\n- two\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n```sh\nls\n```\n";
  const { text, blocks, title } = await read("guide.md", source);
  expect(text).toBe(source);
  expect(title).toBe("Ferry guide");
  expect(blocks.map(({ start, end, kind }) => [kind, text.slice(start, end)])).toEqual([
    ["heading", "# Ferry"],
    ["paragraph", "It *sails* daily."],
    ["list-item", "- one"],
    ["list-item", "- two"],
    ["table", "| a | b |\n| - | - |\n| 1 | 2 |"],
    ["code", "```sh\nls\n```"],
  ]);
});

describe("HTML", () => {
  test("gives its article, without navigation and scripts", async () => {
    const paragraph =
      "The ferry crosses the bay four times a day, and carries bicycles without a charge. ".repeat(4);
    const page = `<!doctype html><html><head><title>The ferry</title></head><body><nav>Home Shop Contact</nav>
      <article><h1>Ferry</h1><p>${paragraph}</p><h2>Tickets</h2><p>${paragraph}</p>
      <table><tr><th>Day</th><th>Price</th></tr><tr><td>Sunday</td><td>4 crowns</td></tr></table></article>
      <script>alert("no")</script></body></html>`;
    const { text, blocks, title } = await read("ferry.html", page);
    expect(title).toBe("The ferry");
    expect(text).toContain("Sunday | 4 crowns");
    expect(text).not.toMatch(/alert|Contact/);
    for (const { start, end } of blocks) expect(text.slice(start, end)).toBe(text.slice(start, end).trim());
    expect(
      blocks.filter(({ kind }) => kind === "heading").map(({ start, end }) => text.slice(start, end)),
    ).toContain("Tickets");
  });

  test("that is no article gives its whole body", async () => {
    const { text } = await read("list.html", "<body><ul><li>Rope</li><li>Tar &amp; oil</li></ul></body>");
    expect(text).toBe("Rope\n\nTar & oil");
  });

  test("in the cells of a table keeps words apart, and is read block by block where cells lay out a page", async () => {
    const cells =
      "<table><tr><td><p>Sunday</p><p>and <b>Mon</b>day</p><ul><li>Boots</li><li>Ropes</li></ul></td><td>Fee<br>Twelve<script>no()</script></td></tr></table>";
    expect((await read("data.html", cells)).text).toBe("Sunday and Monday Boots Ropes | Fee Twelve");
    const named =
      "<table><tr><th><h4>Name</h4></th><th><h4>Fee</h4></th></tr><tr><td>Oak</td><td>12</td></tr></table>";
    expect((await read("named.html", named)).text).toBe("Name | Fee\n\nOak | 12");
    const layout =
      "<table><tr><td><h1>Harbour rules</h1><p>The gate closes at nine.</p></td><td><div><table><tr><td>one</td><td>two</td></tr></table></div></td></tr></table>";
    const { text, blocks } = await read("layout.html", layout);
    expect(text).toBe("Harbour rules\n\nThe gate closes at nine.\n\none | two");
    expect(blocks.map(({ kind }) => kind)).toEqual(["heading", "paragraph", "table"]);
  });

  test("that calls itself UTF-16 in ASCII is not read as that", async () => {
    const page = Buffer.from('<meta charset="utf-16"><p>Gar\u00e7on</p>', "latin1");
    expect((await read("page.html", page)).text).toBe("Gar\u00e7on");
  });

  test("is decoded by the charset it declares", async () => {
    const page = Buffer.from(
      '<html><head><meta charset="iso-8859-2"></head><body><p>\u00b9led\u00bc</p></body></html>',
      "latin1",
    );
    expect((await read("a.html", page)).text).toBe("šledź");
  });
});

describe("PDF", () => {
  test("gives its text page by page, with paragraphs and headings", async () => {
    const pdf = makePdf(
      "# A report\n\nThe first paragraph goes over more than a single line, since it is long enough to be wrapped by the writer of this file.\n\n---\n\n## Costs\n\nRope cost four crowns.",
      "Report",
    );
    const { text, pages, blocks, title } = await read("r.pdf", pdf);
    expect(title).toBe("Report");
    expect(pages).toEqual([
      { page: 1, charStart: 0 },
      { page: 2, charStart: text.indexOf("Costs") },
    ]);
    expect(text).toContain(
      "over more than a single line, since it is long enough to be wrapped by the writer of this file.",
    );
    expect(
      blocks.filter(({ kind }) => kind === "heading").map(({ start, end }) => text.slice(start, end)),
    ).toEqual(["A report", "Costs"]);
  });

  const three = "# A report\n\nFirst page.\n---\nIn all\n\n40\n---\nThird page.";

  test.each([
    ["3", (page: number) => `${page}`],
    ["- 3 -", (page: number) => `- ${page} -`],
    ["Page 3 of 9", (page: number) => `Page ${page} of 9`],
    ["5 / 11", (page: number) => `${page + 2} / 11`],
  ])("loses its page numbers, as in %s, and every place stays exact", async (_shown, footer) => {
    const { text, pages, blocks } = await read("r.pdf", makePdf(three, "Report", footer));
    expect(text).toBe("A report\n\nFirst page.\n\nIn all 40\n\nThird page.");
    expect(blocks.map(({ start, end }) => text.slice(start, end))).toEqual([
      "A report",
      "First page.",
      "In all 40",
      "Third page.",
    ]);
    expect(pages?.map(({ page, charStart }) => [page, text.slice(charStart, charStart + 5)])).toEqual([
      [1, "A rep"],
      [2, "In al"],
      [3, "Third"],
    ]);
  });

  test.each([
    ["a figure that does not count along with the pages", (page: number) => `${page * 7}`, /7.*14.*21/s],
    ["a line with words of its own", (page: number) => `Plot ${page}`, /Plot 1.*Plot 2.*Plot 3/s],
    ["a number on one page alone", (page: number) => (page === 2 ? "2" : " "), /2\n\nThird/],
  ])("keeps %s", async (_what, footer, kept) => {
    expect((await read("r.pdf", makePdf(three, "Report", footer))).text).toMatch(kept);
  });

  test("without text is called a scan, and says what to do", async () => {
    expect(await refused(read("scan.pdf", imageOnly()))).toMatchObject({
      reason: "no-text",
      hint: expect.stringContaining("OCR"),
    });
  });

  test("that is encrypted is refused as such", async () => {
    expect(await refused(read("secret.pdf", encryptedPdf()))).toMatchObject({
      code: "forbidden",
      reason: "encrypted",
      hint: expect.stringContaining("password"),
    });
  });

  test("that is broken is refused as such", async () => {
    const whole = makePdf("# Title\n\nText.");
    const broken = Buffer.concat([Buffer.from("%PDF-1.4\n"), Buffer.from(whole.subarray(40, 90))]);
    expect(await refused(read("broken.pdf", broken))).toMatchObject({
      code: "invalid-request",
      reason: "broken",
    });
  });
});

describe("files that are not what they seem", () => {
  test.each([
    ["empty.txt", Buffer.alloc(0), "empty"],
    ["blank.txt", Buffer.from(" \n\t\n"), "no-text"],
    ["photo.txt", Buffer.from("\u0089PNG\r\n\u001a\n0000", "latin1"), "wrong-type"],
    ["letter.pdf", Buffer.from("PK\u0003\u0004....word/document.xml", "latin1"), "wrong-type"],
    ["notes.pdf", Buffer.from("just some notes"), "wrong-type"],
    ["wide.txt", Buffer.from("\u00ff\u00fe\0\0T\0\0\0", "latin1"), "wrong-type"],
    ["program.md", Buffer.from([1, 2, 3, 0, 4, 5, 0, 6]), "wrong-type"],
  ])("%s is refused with a hint", async (name, bytes, reason) => {
    const refusal = await refused(read(name, bytes));
    expect(refusal).toMatchObject({ reason, message: expect.stringContaining(name) });
    expect(refusal?.hint).toMatch(/\w+ \w+/);
  });

  test.each(["noise.txt", "program.exe"])(
    "%s of binary content is told so, not to be named otherwise",
    async (name) => {
      const refusal = await refused(read(name, Buffer.from([77, 90, 3, 0, 4, 5, 0, 6, 0, 255])));
      expect(refusal?.message).toMatch(/not text|neither text/);
      expect(refusal?.message).toContain("binary");
      expect(refusal?.hint).toContain("Programs and other binary files cannot be read");
    },
  );

  test("a PDF under another name is read as a PDF", async () => {
    expect((await read("report.txt", makePdf("# A\n\nIt is a PDF."))).mediaType).toBe("application/pdf");
  });

  test("a page without an ending is recognised by its first words", async () => {
    expect((await read("download", "<!DOCTYPE html><p>Hello there.</p>")).text).toBe("Hello there.");
  });
});

describe("the thread that reads", () => {
  const chunk = { parentTokens: 2000, parentOverlap: 200, windowTokens: 400, windowOverlap: 60 };
  const ask = async (
    name: string,
    content: string | Uint8Array,
    limits: { timeoutMs: number; memoryMb: number },
    signal = new AbortController().signal,
  ) => {
    const path = join(await emptyFolder(), "upload");
    await writeFile(path, content);
    const reader = createReader(limits);
    return {
      reader,
      read: () =>
        reader.read({ path, name, mediaType: undefined, chunk, signal, onProgress: () => undefined }),
    };
  };
  const heavy = `${"- ".repeat(400)}x\n`.repeat(60);

  test("is ended when a file takes too long, and the next file is read", async () => {
    const { reader, read: readHeavy } = await ask("slow.md", heavy, { timeoutMs: 100, memoryMb: 512 });
    expect(await refused(readHeavy())).toMatchObject({ code: "timeout", reason: "parse-timeout" });
    await reader.close();
    const { reader: other, read: readLight } = await ask("light.md", "# Light", {
      timeoutMs: 20_000,
      memoryMb: 512,
    });
    expect((await readLight()).text).toBe("# Light");
    await other.close();
  });

  test("is ended when a file takes too much memory", async () => {
    const huge = `<body>${"<p><b>x</b></p>".repeat(300_000)}</body>`;
    const { reader, read: readHuge } = await ask("huge.html", huge, { timeoutMs: 60_000, memoryMb: 32 });
    expect(await refused(readHuge())).toMatchObject({ code: "out-of-memory", reason: "parse-memory" });
    await reader.close();
  });

  test.each([
    ["blanks.html", `<pre>${" \n".repeat(400_000)}The gate is green.</pre>`],
    ["heading.md", `# The ${"[".repeat(200_000)} gate is green.`],
  ])(
    "reads %s, which is one long run of the same, in a moment",
    async (name, content) => {
      const { reader, read: readRun } = await ask(name, content, { timeoutMs: 10_000, memoryMb: 512 });
      expect((await readRun()).text).toContain("gate is green.");
      await reader.close();
    },
    30_000,
  );

  test("is ended when a file unpacks to more memory than it may take", async () => {
    const limits = { timeoutMs: 60_000, memoryMb: 200 };
    const { reader, read: readBomb } = await ask("bomb.pdf", unpacking(600), limits);
    expect(await refused(readBomb())).toMatchObject({ code: "out-of-memory", reason: "parse-memory" });
    await reader.close();
  }, 90_000);

  test("is ended by the caller", async () => {
    const controller = new AbortController();
    const { reader, read: readHeavy } = await ask(
      "slow.md",
      heavy,
      { timeoutMs: 60_000, memoryMb: 512 },
      controller.signal,
    );
    setTimeout(() => controller.abort(), 50);
    await expect(readHeavy()).rejects.toMatchObject({ code: "aborted" });
    await reader.close();
  });
});

/** A page on which nothing is written. */
function imageOnly(): Uint8Array {
  return Buffer.from(
    Buffer.from(makePdf("", "Scan")).toString("latin1").replace("(1) Tj", "( ) Tj"),
    "latin1",
  );
}

/** Its key belongs to no password that a reader would try. */
function encryptedPdf(): Uint8Array {
  const plain = Buffer.from(makePdf("# Secret\n\nNobody reads this.")).toString("latin1");
  const key = "<" + "5a".repeat(32) + ">";
  const dictionary = `/Encrypt << /Filter /Standard /V 1 /R 2 /O ${key} /U ${key} /P -44 >> /ID [<00><00>]`;
  return Buffer.from(plain.replace("/Root 1 0 R", `/Root 1 0 R ${dictionary}`), "latin1");
}

/** A PDF of one page whose content is small as it is sent and large when it is unpacked. */
function unpacking(megabytes: number): Buffer {
  const content = deflateSync(Buffer.alloc(megabytes * 1_000_000, " "));
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>",
    `<< /Length ${content.length} /Filter /FlateDecode >>\nstream\n${content.toString("latin1")}\nendstream`,
  ];
  const body = objects.map((object, at) => `${at + 1} 0 obj\n${object}\nendobj\n`).join("");
  return Buffer.from(`%PDF-1.7\n${body}trailer\n<< /Size 5 /Root 1 0 R >>\n%%EOF\n`, "latin1");
}
