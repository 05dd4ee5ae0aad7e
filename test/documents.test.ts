/** The documents hold together: every relative link leads to a file, and to a heading of it. */

import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { describe, test } from "node:test";

const root = resolve(import.meta.dirname, "..");
const documents = ["README.md", "CONTRIBUTING.md", ...globSync("docs/**/*.md", { cwd: root })];

/** Without code, in which brackets are not links and # is no heading. */
function prose(markdown: string): string {
  return markdown.replaceAll(/^```[\s\S]*?^```$/gm, "").replaceAll(/`[^`\n]*`/g, "");
}

function linksOf(markdown: string): string[] {
  return [...prose(markdown).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target));
}

/** The anchors that the usual renderers give to headings. */
function anchorsOf(markdown: string): Set<string> {
  const text = markdown.replaceAll(/^```[\s\S]*?^```$/gm, "");
  const headings = [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) => heading!);
  return new Set(
    headings.map((heading) =>
      heading
        .trim()
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(/\s/g, "-"),
    ),
  );
}

function brokenLinks(document: string): string[] {
  const path = resolve(root, document);
  const markdown = readFileSync(path, "utf8");
  return linksOf(markdown).filter((link) => {
    const [file = "", anchor] = link.split("#");
    const target = file === "" ? path : resolve(dirname(path), decodeURI(file));
    if (!existsSync(target)) return true;
    if (anchor === undefined || !target.endsWith(".md")) return false;
    return !anchorsOf(readFileSync(target, "utf8")).has(anchor);
  });
}

describe("documents", () => {
  test("links and anchors are found", () => {
    const markdown = "# A `b`: c_d\n[x](y.md#z) `[no](link)`\n```sh\n# no\n[no](link)\n```\n";
    assert.deepEqual(linksOf(`${markdown}[out](https://a.example/)`), ["y.md#z"]);
    assert.deepEqual([...anchorsOf(markdown)], ["a-b-c_d"]);
    assert.ok(
      documents.flatMap((document) => linksOf(readFileSync(resolve(root, document), "utf8")))
        .length > 20,
    );
  });

  for (const document of documents) {
    test(`${document} has no broken link`, () => assert.deepEqual(brokenLinks(document), []));
  }

  test("every guide, reference and design page is in the index", () => {
    const index = new Set(
      linksOf(readFileSync(`${root}/docs/README.md`, "utf8")).map((link) => `docs/${link}`),
    );
    const pages = documents
      .map((document) => relative(root, resolve(root, document)))
      .filter((page) => page.startsWith("docs/") && page !== "docs/README.md");
    assert.deepEqual(
      pages.filter((page) => !index.has(page)),
      [],
    );
  });
});
