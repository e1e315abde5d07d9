// SPDX-License-Identifier: Apache-2.0
// A real browser, which is watched: what it complains about fails the test.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { TOKEN } from "./server.mjs";

const folder = process.env.PAGE_FOLDER;
const require = createRequire(join(folder, "package.json"));
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

let browser;

export async function open() {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

export const close = () => browser.close();

/** A tab; `expected` matches complaints that are part of the test. Its `done` looks whether there were others. */
export async function tab({ theme = "light", width = 1280, height = 900, expected = null } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: "reduce", acceptDownloads: true });
  const page = await context.newPage(), complaints = [];
  const complain = (text) => expected?.test(text) || complaints.push(text);
  page.on("pageerror", (error) => complain(error.stack ?? String(error)));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complain(message.text()));
  page.on("dialog", async (dialog) => {
    complain(`a dialog of the browser: ${dialog.message()}`);
    await dialog.dismiss();
  });
  await page.exposeFunction("complainOfPolicy", (text) => complain(text));
  await page.addInitScript(() => addEventListener("securitypolicyviolation", (event) =>
    globalThis.complainOfPolicy(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`)));
  page.setDefaultTimeout(15000);
  page.done = async () => {
    await context.close();
    assert.deepEqual(complaints, []);
  };
  return page;
}

/** A tab that shows a view, with the token. */
export async function shown(server, hash, options) {
  const page = await tab(options);
  await page.goto(`${server.url}#token=${TOKEN}`);
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  if (hash !== "#/") await go(page, hash);
  return page;
}

/** Another view, when what it asked for is there. */
export async function go(page, hash) {
  await page.evaluate((address) => new Promise((resolve) => {
    if (location.hash === address) return resolve();
    addEventListener("hashchange", () => setTimeout(resolve), { once: true }); // behind the page's own, and what it draws then
    location.hash = address;
  }), hash);
  await settled(page);
}

export async function settled(page) {
  await page.waitForFunction(() => document.querySelector("main h1") && !document.querySelector('[aria-busy="true"]'));
}

/** Nothing that is known to shut people out. axe is run as the browser's own, which the page's policy does not bind. */
export async function accessible(page, what) {
  await page.evaluate(`${AXE}; 0`);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map((node) => `${node.html} ${node.failureSummary}`).join(" | ")}`);
  assert.deepEqual(found, [], what);
}

export async function fits(page, what) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(over, 0, `${what} is wider than the screen`);
}

export async function picture(page, name) {
  mkdirSync(join(folder, "pictures"), { recursive: true });
  await page.screenshot({ path: join(folder, "pictures", `${name}.png`) });
}
