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
    {{6, 3, 13}, {Abi::a, Factory::bb, shortId, shortAnswer, true, false}},
    {{6, 3, 16}, {Abi::b, Factory::bb, shortId, shortAnswer, true, false}},
    {{6, 5, 0}, {Abi::b, Factory::bb, longId, longAnswer, true, false}},
    {{6, 6, 1}, {Abi::b, Factory::bb, longId, longAnswer, true, true}},
    {{6, 7, 11}, {Abi::b, Factory::bbb, longId, longAnswer, true, true}},
};
const Layout layout2013{Abi::year2013, Factory::b, shortId, shortAnswer, false, false};
const Version newestVerified{6, 7, 13};
// Of what lies between, no header is known.
const Version firstUnverified{6, 3, 16}, endOfUnverified{6, 3, 19};

bool isDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// At most six digits; a longer number is no part of a version.
bool readNumber(const std::string &text, std::size_t &at, int &value) {
  const std::size_t begin = at;
  value = 0;
  while (at < text.size() && isDigit(text[at]) && at - begin < 7) value = value * 10 + (text[at++] - '0');
  return at > begin && at - begin < 7;
}

// The first "6.7.13" or "6_7_13" anywhere: version texts carry prefixes of many kinds. `begin`: where it stands.
bool findVersion(const std::string &text, Version &version, std::size_t &begin) {
  for (begin = 0; begin < text.size(); begin++) {
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

const Layout *layoutOf(const Version &version) {
  if (version.major != 6) return nullptr;
  const Layout *found = nullptr;
  for (const Group &group : groups) {
    if (!(version < group.from)) found = &group.layout;
  }
  return found;
}

// The vendor's own form: "V1.7.5", "v3.7.5_20251125 …". Other makers count their versions as they like.
bool isVendors(const std::string &text, std::size_t begin) {
  return begin == 0 || (begin == 1 && (text[0] == 'v' || text[0] == 'V'));
}

// Where the user's word counts, the library's own is only repeated.
LayoutChoice asAsserted(const std::string &says, Factory factory, const std::string &asserted) {
  const std::string warning = says + "; taken to be " + asserted + ", as ctp_version says";
  if (asserted == "2013") return {&layout2013, warning};
  Version version{};
  std::size_t begin = 0;
  const Layout *layout = findVersion(asserted, version, begin) ? layoutOf(version) : nullptr;
  if (layout == nullptr) {
    return {nullptr, "ctp_version \"" + asserted + "\" is not supported: 2013 and 6.3.13 to 6.7.13 are"};
  }
  return {layout, layout->factory == factory
                      ? warning
                      : warning + ", but it exports " + nameOf(factory) + ", which is called"};
}

}  // namespace

LayoutChoice chooseLayout(const char *versionText, Factory factory, const std::string &asserted) {
  const std::string text = versionText == nullptr ? "" : versionText;
  const std::string says = versionText == nullptr ? "it tells no version" : "it says \"" + text + "\"";
  if (factory == Factory::none) return {nullptr, "it does not export CThostFtdcMdApi::CreateFtdcMdApi"};
  Version version{};
  std::size_t begin = 0;
  const bool found = findVersion(text, version, begin);
  if (found && isVendors(text, begin)) {
    if (version.major == 1) return {nullptr, "version \"" + text + "\" is CTP Mini, another product"};
    if (version.major == 3) {
      return {nullptr, "version \"" + text + "\" is for stock options, another product"};
    }
  }
  if (!asserted.empty()) return asAsserted(says, factory, asserted);
  if (versionText == nullptr && factory == Factory::b) {
    return {&layout2013, says + ": taken to be of the 2013 generation, whose ticks have no natural date"};
  }
  const std::string remedy = "; if you know which one it is like, say so with ctp_version";
  if (!found) {
    const std::string what = versionText == nullptr ? says : "its version text \"" + text + "\" names no version";
    return {nullptr, what + remedy};
  }
  const Layout *layout = layoutOf(version);
  if (layout == nullptr) {
    return {nullptr, "version \"" + text + "\" is not supported: 6.3.13 to 6.7.13 are" + remedy};
  }
  if (layout->factory != factory) {
    return {nullptr, "version \"" + text + "\" should export " + nameOf(layout->factory) + " but exports " +
                         nameOf(factory) + remedy};
  }
  if (newestVerified < version) {
    return {layout, "version \"" + text + "\" is newer than 6.7.13, the newest one verified"};
  }
  if (!(version < firstUnverified) && version < endOfUnverified) {
    return {layout, "version \"" + text + "\" is unverified: taken to be laid out as 6.3.19"};
  }
  return {layout, ""};
}

}  // namespace qb
