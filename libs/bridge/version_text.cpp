#include "version_text.h"

#include <cctype>
#include <cstring>

namespace qb {
namespace {

constexpr int dateDigits = 8;

bool isDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

bool beginsNumber(const std::string &text, std::size_t at) {
  return isDigit(text[at]) && (at == 0 || !isDigit(text[at - 1]));
}

// At most six digits; a longer number is no part of a version.
bool readNumber(const std::string &text, std::size_t &at, int &value) {
  const std::size_t begin = at;
  value = 0;
  while (at < text.size() && isDigit(text[at]) && at - begin < 7) value = value * 10 + (text[at++] - '0');
  return at > begin && at - begin < 7;
}

bool findVersion(const std::string &text, Version &version) {
  for (std::size_t begin = 0; begin < text.size(); begin++) {
    if (!beginsNumber(text, begin)) continue;
    std::size_t at = begin;
    const auto separator = [&] { return at < text.size() && (text[at] == '.' || text[at] == '_') && ++at; };
    if (readNumber(text, at, version.major) && separator() && readNumber(text, at, version.minor) &&
        separator() && readNumber(text, at, version.patch)) {
      return true;
    }
  }
  return false;
}

// The first number of eight digits that can be a day of this century.
int findDate(const std::string &text) {
  for (std::size_t begin = 0; begin < text.size(); begin++) {
    if (!beginsNumber(text, begin)) continue;
    int value = 0;
    std::size_t at = begin;
    while (at < text.size() && isDigit(text[at]) && at - begin <= dateDigits) value = value * 10 + (text[at++] - '0');
    const int month = value / 100 % 100, day = value % 100;
    if (at - begin == dateDigits && value / 1000000 == 20 && month >= 1 && month <= 12 && day >= 1 && day <= 31) {
      return value;
    }
  }
  return 0;
}

}  // namespace

VersionText readVersionText(const std::string &text) {
  VersionText result;
  result.found = findVersion(text, result.version);
  result.date = findDate(text);
  return result;
}

const char *otherProduct(const std::string &text) {
  // "V1.5", "V1.7.5"; "v3.7.5_20251125 …". Other makers count their versions as they like, but with a name before them.
  const std::size_t begin = !text.empty() && (text[0] == 'v' || text[0] == 'V') ? 1 : 0;
  const bool numbered = text.size() > begin + 2 && text[begin + 1] == '.' && isDigit(text[begin + 2]);
  if (numbered && text[begin] == '1') return "CTP Mini";
  if (numbered && text[begin] == '3') return "CTP for stock options";
  // "api_0324"
  constexpr const char *etfPrefix = "api_";
  const std::size_t length = std::strlen(etfPrefix);
  if (text.compare(0, length, etfPrefix) == 0 && text.size() > length && isDigit(text[length])) {
    return "CTP for ETF options";
  }
  return nullptr;
}

}  // namespace qb
