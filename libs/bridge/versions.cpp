#include "versions.h"

#include <cctype>

namespace qb {
namespace {

struct Version {
  int major, minor, patch;
  bool operator<(const Version &other) const {
    if (major != other.major) return major < other.major;
    if (minor != other.minor) return minor < other.minor;
    return patch < other.patch;
  }
};

struct Group {
  Version from;
  Layout layout;
};

constexpr vendor::Text shortId{9, 31}, longId{401, 81}, shortAnswer{0, 31}, longAnswer{31, 81};

// Each group reaches to the next one's first version.
const Group groups[] = {
    {{6, 3, 13}, {"6.3.13", false, Factory::bb, shortId, shortAnswer, false}},
    {{6, 3, 16}, {"6.3.16", true, Factory::bb, shortId, shortAnswer, false}},
    {{6, 5, 0}, {"6.5.0", true, Factory::bb, longId, longAnswer, false}},
    {{6, 6, 1}, {"6.6.1", true, Factory::bb, longId, longAnswer, true}},
    {{6, 7, 11}, {"6.7.11", true, Factory::bbb, longId, longAnswer, true}},
};
const Version newestVerified{6, 7, 13};

bool isDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// At most six digits; a longer number is no part of a version.
bool readNumber(const std::string &text, std::size_t &at, int &value) {
  const std::size_t begin = at;
  value = 0;
  while (at < text.size() && isDigit(text[at]) && at - begin < 7) value = value * 10 + (text[at++] - '0');
  return at > begin && at - begin < 7;
}

// The first "6.7.13" or "6_7_13" anywhere: version texts carry prefixes of many kinds.
bool findVersion(const std::string &text, Version &version) {
  for (std::size_t begin = 0; begin < text.size(); begin++) {
    if (!isDigit(text[begin]) || (begin > 0 && isDigit(text[begin - 1]))) continue;
    std::size_t at = begin;
    const auto separator = [&] { return at < text.size() && (text[at] == '.' || text[at] == '_') && ++at; };
    if (readNumber(text, at, version.major) && separator() && readNumber(text, at, version.minor) &&
        separator() && readNumber(text, at, version.patch)) {
      return true;
    }
  }
  return false;
}

const char *nameOf(Factory factory) {
  switch (factory) {
    case Factory::b: return "CreateFtdcMdApi(path, udp)";
    case Factory::bb: return "CreateFtdcMdApi(path, udp, multicast)";
    case Factory::bbb: return "CreateFtdcMdApi(path, udp, multicast, production)";
    case Factory::none: break;
  }
  return "no factory";
}

}  // namespace

LayoutChoice chooseLayout(const char *versionText, Factory factory) {
  const std::string text = versionText == nullptr ? "" : versionText;
  if (factory == Factory::b) return {nullptr, "it is of the 2013 generation, which is not supported"};
  if (factory == Factory::none) return {nullptr, "it does not export CThostFtdcMdApi::CreateFtdcMdApi"};
  Version version{};
  if (!findVersion(text, version)) return {nullptr, "its version text \"" + text + "\" names no version"};
  if (version.major == 1) return {nullptr, "version \"" + text + "\" is CTP Mini, another product"};
  if (version.major == 3) return {nullptr, "version \"" + text + "\" is for stock options, another product"};
  const Group *found = nullptr;
  for (const Group &group : groups) {
    if (!(version < group.from)) found = &group;
  }
  if (version.major != 6 || found == nullptr) {
    return {nullptr, "version \"" + text + "\" is not supported: 6.3.13 to 6.7.13 are"};
  }
  if (found->layout.factory != factory) {
    return {nullptr, "version \"" + text + "\" should export " + nameOf(found->layout.factory) +
                         " but exports " + nameOf(factory)};
  }
  if (newestVerified < version) {
    return {&found->layout, "version \"" + text + "\" is newer than 6.7.13, the newest one verified"};
  }
  if (!(version < Version{6, 3, 16}) && version < Version{6, 3, 19}) {
    return {&found->layout, "version \"" + text + "\" is unverified: taken to be laid out as 6.3.19"};
  }
  return {&found->layout, ""};
}

}  // namespace qb
