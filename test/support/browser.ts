import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

/** `npm test` also runs where no browser is installed. `.ci/run` sets `CHROMIUM_PATH`, so there nothing is skipped. */
const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
export const hasBrowser = process.env.CHROMIUM_PATH !== undefined || existsSync(executablePath);

export const launchBrowser = (): Promise<Browser> => chromium.launch({ executablePath, args: ['--no-sandbox'] });

/** What the browser complains about, and which hosts it asks, from now on. */
export function watchPage(page: Page): { complaints: string[]; hosts: Set<string> } {
  const complaints: string[] = [];
  const hosts = new Set<string>();
  // The browser reports a violation of the policy as an error on the console.
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith('data:')) hosts.add(new URL(request.url()).origin);
  });
  return { complaints, hosts };
}

/** Whether a reader has to scroll sideways. */
export const isTooWide = (page: Page) =>
  page.evaluate<boolean>('document.documentElement.scrollWidth > window.innerWidth');

/**
 * The texts of a page that are hard to read, with their contrast. WCAG 2.2 asks for 4.5 (criterion 1.4.3), and for 3 in
 * drawings (criterion 1.4.11).
 */
export const paleTexts = (page: Page) =>
  page.evaluate<string[]>(`(() => {
    const rgb = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
    const light = (color) => {
      const [r, g, b] = color.slice(0, 3).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const background = (element) => {
      for (let one = element; one; one = one.parentElement) {
        const color = rgb(getComputedStyle(one).backgroundColor);
        if (color.length === 3 || color[3] === 1) return color;
      }
      return [255, 255, 255];
    };
    const pale = [];
    for (const element of document.body.querySelectorAll('*')) {
      const style = getComputedStyle(element);
      const isDrawing = element.tagName === 'svg';
      const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
      if (!isDrawing && !hasText) continue;
      const [a, b] = [light(rgb(isDrawing ? style.stroke : style.color)), light(background(element))];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (contrast < (isDrawing ? 3 : 4.5)) pale.push(element.tagName + ' ' + contrast.toFixed(2));
    }
    return pale;
  })()`);
