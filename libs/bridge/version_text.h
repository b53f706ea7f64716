// What a library's version text says, as the vendor's and others' libraries write it.
#pragma once

#include <string>

namespace qb {

struct Version {
  int major, minor, patch;
  bool operator<(const Version &other) const {
    if (major != other.major) return major < other.major;
    if (minor != other.minor) return minor < other.minor;
    return patch < other.patch;
  }
};

struct VersionText {
  bool found = false;  // a version is named
  Version version{};
  int date = 0;  // yyyymmdd of the build; 0 if none is named
};

// The first "6.7.2" or "6_7_2" anywhere in the text, for version texts carry prefixes of many kinds, and the first date.
VersionText readVersionText(const std::string &text);

// The vendor's product that writes its version texts in this form, if it is not CTP itself; null otherwise.
const char *otherProduct(const std::string &text);

}  // namespace qb
