import { describe, expect, it } from 'vitest';
import { loadSpelling, spell } from '../../src/market/instruments/pinyin.js';
import { loadProducts } from '../../src/market/instruments/products.js';

const spelling = loadSpelling();

describe('spell', () => {
  it.each([
    ['黄金', 'huangjin'],
    ['豆粕', 'doupo'],
    ['铝', 'lv'],
    ['20号胶', '20haojiao'],
    ['PTA', 'pta'],
    ['集运指数(欧线)', 'jiyunzhishuouxian'],
  ])('%s → %s', (name, pinyin) => {
    expect(spell(name, spelling)).toBe(pinyin);
  });

  it('knows every character of the product table', () => {
    const characters = [...loadProducts().values()].flatMap(({ name }) => Array.from(name));
    const unknown = characters.filter((each) => each.charCodeAt(0) > 0x7f && !spelling.has(each));
    expect(unknown).toEqual([]);
  });
});
