// One Chromium, driven by lines of JSON: {"tab", "verb", "args"} in, {"value"} or {"error"} out. Beside browser.py.
//   node driver.mjs FOLDER_OF_NODE_MODULES CHROMIUM BASE_ADDRESS
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [folder, program, base] = process.argv.slice(2);
const require = createRequire(join(folder, 'x.js'));
const { chromium } = require('playwright-core');
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const chrome = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-dev-shm-usage', '--lang=fr'] });
const tabs = new Map();

const verbs = {
  /** A browser of its own: cookies are not shared between tabs. */
  async open(tab, { width = 1366, height = 768, script = true, touch = false } = {}) {
    const context = await chrome.newContext({
      viewport: { width, height }, locale: 'fr-FR', timezoneId: 'Europe/Paris', javaScriptEnabled: script, hasTouch: touch, acceptDownloads: true, reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    page.setDefaultTimeout(15000);
    const complaints = [];
    page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
    page.on('pageerror', (error) => complaints.push(String(error)));
    tabs.set(tab, { context, page, complaints, script, status: 0 });
    page.on('response', (answer) => { if (answer.frame() === page.mainFrame() && answer.request().isNavigationRequest()) tabs.get(tab).status = answer.status(); });
  },
  async close(tab) { await tabs.get(tab).context.close(); tabs.delete(tab); },
  async goto(tab, path) {
    const { page, script } = tabs.get(tab);
    await page.goto(base + path);
    // Chromium lets keys fall that are pressed before the page's first picture.
    if (script) await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
    return tabs.get(tab).status;
  },
  async status(tab) { return tabs.get(tab).status; },
  /** Key by key, each after what the one before began has ended. */
  async press(tab, ...keys) {
    const { page } = tabs.get(tab);
    for (const key of keys) {
      await page.keyboard.press(key);
      await page.waitForTimeout(30);
      await page.waitForLoadState('domcontentloaded');
    }
  },
  async type(tab, text) { await tabs.get(tab).page.keyboard.type(text); },
  async fill(tab, selector, text) { await tabs.get(tab).page.fill(selector, text); },
  async select(tab, selector, value) { await tabs.get(tab).page.selectOption(selector, value); },
  async check(tab, selector) { await tabs.get(tab).page.check(selector); },
  async click(tab, selector) {
    const { page } = tabs.get(tab);
    await page.click(selector);
    await page.waitForLoadState('domcontentloaded');
  },
  async wait(tab, selector, limit = 15000) { await tabs.get(tab).page.waitForSelector(selector, { timeout: limit, state: 'attached' }); },
  async waitPath(tab, start, limit = 15000) { await tabs.get(tab).page.waitForURL((url) => (url.pathname + url.search).startsWith(start), { timeout: limit, waitUntil: 'domcontentloaded' }); },
  async path(tab) { const url = new URL(tabs.get(tab).page.url()); return url.pathname + url.search; },
  async text(tab, selector) { return tabs.get(tab).page.locator(selector).first().innerText(); },
  async texts(tab, selector) { return tabs.get(tab).page.locator(selector).allInnerTexts(); },
  async count(tab, selector) { return tabs.get(tab).page.locator(selector).count(); },
  async value(tab, selector) { return tabs.get(tab).page.locator(selector).first().inputValue(); },
  async evaluate(tab, source) { return tabs.get(tab).page.evaluate(source); },
  async forget(tab) { await tabs.get(tab).context.clearCookies(); },
  async title(tab) { return tabs.get(tab).page.title(); },
  async html(tab) { return tabs.get(tab).page.content(); },
  async media(tab, media) { await tabs.get(tab).page.emulateMedia({ media }); },
  async complaints(tab) { return tabs.get(tab).complaints.splice(0); },
  /** The next Tab starts at the top of the page, as in a page without a field that takes the focus. */
  async unfocus(tab) {
    await tabs.get(tab).page.evaluate(() => { const b = document.body; b.tabIndex = -1; b.focus(); b.removeAttribute('tabindex'); scrollTo(0, 0); });
  },
  /** What has the focus, and whether the eye sees that it has it. */
  async focus(tab) {
    return tabs.get(tab).page.evaluate(() => {
      const e = document.activeElement;
      const style = getComputedStyle(e);
      const box = e.getBoundingClientRect();
      return { tag: e.tagName, id: e.id, name: e.getAttribute('name') ?? '', href: e.getAttribute('href') ?? '',
               text: (e.innerText ?? '').trim().slice(0, 80), at: [Math.round(box.left + scrollX), Math.round(box.top + scrollY)], outline: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
               inside: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth };
    });
  },
  /** What axe-core finds against WCAG 2.1 A and AA: [] when nothing. */
  async axe(tab) {
    const { page } = tabs.get(tab);
    const session = await page.context().newCDPSession(page);
    // The page's own policy forbids foreign scripts; the debugger's evaluation is not one.
    await session.send('Runtime.evaluate', { expression: axeSource + ';0' });
    const answer = await session.send('Runtime.evaluate', {
      expression: "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'], resultTypes: ['violations']})"
        + ".then((r) => r.violations.map((v) => ({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.map((n) => n.html.slice(0, 160) + ' | ' + n.failureSummary.split('\\n').slice(1, 2).join(' '))})))",
      awaitPromise: true, returnByValue: true,
    });
    await session.detach();
    if (answer.exceptionDetails) throw new Error(answer.exceptionDetails.exception?.description ?? 'axe failed');
    return answer.result.value;
  },
  async shot(tab, path, full = false) { await tabs.get(tab).page.screenshot({ path, fullPage: full }); },
  async bytes(tab) { return tabs.get(tab).page.evaluate(() => performance.getEntriesByType('navigation')[0].encodedBodySize); },
};

console.log(JSON.stringify({ value: chrome.version() }));
for await (const line of createInterface({ input: process.stdin })) {
  const { tab, verb, args } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ value: (await verbs[verb](tab, ...args)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error.message ?? error) }));
  }
}
await chrome.close();
