import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readHolidays } from '../../src/market/calendar/holidayCalendar.js';
import { load, problemsOf, temporaryFolder } from './sources.js';

/** A folder with a calendar file of this content. */
function folderWith(content: string): string {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'holidays.json'), content);
  return cwd;
}

describe('calendar_file', () => {
  it('is the bundled one by default', () => {
    expect(load().holidays).toEqual(readHolidays());
  });

  it('is read from the working directory, and knows what it holds alone', () => {
    const cwd = folderWith('{"years": {"2030": [20300101, 20301001]}, "note": "any"}');
    expect(load({ file: { calendar_file: 'holidays.json' }, cwd }).holidays).toEqual({
      path: join(cwd, 'holidays.json'),
      years: { 2030: [20300101, 20301001] },
    });
    const env = { QACTPMD_CALENDAR_FILE: 'holidays.json' };
    expect(load({ env, cwd }).holidays.years).toHaveProperty('2030');
  });

  const weekdays = Array.from({ length: 31 }, (_, i) => 20300701 + i);
  it.each([
    ['{"years": {"2030": [20310101]}}', '20310101 is not a yyyymmdd day of 2030'],
    ['{"years": {"2030": [20300230]}}', '20300230 is not a yyyymmdd day of 2030'],
    ['{"years": {"2030": ["20300101"]}}', '"20300101" is not a yyyymmdd day of 2030'],
    ['{"years": {"2030": 20300101}}', '2030 must be a list of yyyymmdd days'],
    ['{"years": {"30": []}}', 'years: 30 is not a year'],
    ['{"years": [20300101]}', 'years must be an object'],
    ['[]', 'years must be an object'],
    ['{"years"', 'line 1, column 9: expected ":"'],
    ['{"years": {"2030": [], "2030": []}}', 'the key "2030" comes twice'],
    [
      `{"years": {"2030": [${weekdays.join()}]}}`,
      'no holiday has more than 20 weekdays, as one from 20300701',
    ],
  ])('is refused, with its name and the entry, when it holds %s', (content, problem) => {
    const cwd = folderWith(content);
    const problems = problemsOf({ file: { calendar_file: 'holidays.json' }, cwd });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('calendar_file: ');
    expect(problems[0]).toContain(join(cwd, 'holidays.json'));
    expect(problems[0]).toContain(problem);
  });

  it('is refused when it is not there', () => {
    const cwd = temporaryFolder();
    expect(problemsOf({ file: { calendar_file: 'none.json' }, cwd })).toEqual([
      `gateway.json: calendar_file: ${join(cwd, 'none.json')}: there is no such file`,
    ]);
  });
});
