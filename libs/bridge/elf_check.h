#pragma once

#include <string>

namespace qb {

// Why the file cannot be a shared library for this machine, by its headers alone; empty if it can.
// dlopen's own words for these cases ("invalid ELF header") do not tell a user what to do, and a file that is
// cut short can kill the process.
std::string whyNotLoadable(const char *path);

}  // namespace qb
