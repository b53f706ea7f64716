#include "shanghai_time.h"

namespace sim {
namespace {

int64_t floorDiv(int64_t a, int64_t b) {
    return a >= 0 ? a / b : -((b - 1 - a) / b);
}

void writeDigits(char* out, int value, int digits) {
    for (int i = digits - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

int64_t naturalDay(int64_t step) {
    return floorDiv(step + shanghaiOffset, msPerDay);
}

bool isWeekday(int64_t day) {
    // 1970-01-01 was a Thursday.
    const int64_t sinceSunday = ((day + 4) % 7 + 7) % 7;
    return sinceSunday != 0 && sinceSunday != 6;
}

void formatDay(int64_t day, char out[9]) {
    // Civil date from a day number, in the era arithmetic of the proleptic Gregorian calendar.
    const int64_t z = day + 719468;
    const int64_t era = floorDiv(z, 146097);
    const int64_t doe = z - era * 146097;
    const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const int64_t mp = (5 * doy + 2) / 153;
    const int dayOfMonth = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
    const int month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
    const int year = static_cast<int>(yoe + era * 400 + (month <= 2 ? 1 : 0));
    writeDigits(out, year, 4);
    writeDigits(out + 4, month, 2);
    writeDigits(out + 6, dayOfMonth, 2);
    out[8] = '\0';
}

void formatTime(int64_t step, char out[9]) {
    const int64_t ms = step + shanghaiOffset - naturalDay(step) * msPerDay;
    const int seconds = static_cast<int>(ms / 1000);
    writeDigits(out, seconds / 3600, 2);
    out[2] = ':';
    writeDigits(out + 3, seconds / 60 % 60, 2);
    out[5] = ':';
    writeDigits(out + 6, seconds % 60, 2);
    out[8] = '\0';
}

}  // namespace sim
