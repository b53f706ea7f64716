// The vendor's ABI as data: what layouts.json says. Nothing here is compiled against any declaration of the vendor's
// structs or classes, and nothing is shared with the bridge or with the library under test.
#pragma once
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace abi {

enum class Type { text, f64, i32 };

struct Field {
    std::string name;
    int offset;
    int width;
    Type type;
};

struct Struct {
    std::string name;
    int size;
    std::vector<Field> fields;
};

struct Generation {
    std::string id;
    int factoryBools;
    bool hasVersion;
    int idBytes;
    std::vector<std::string> spi;   // methods in the order of their slots
    std::vector<std::string> api;
    std::vector<Struct> structs;

    const Struct* find(const std::string& name) const {
        for (const Struct& layout : structs) {
            if (layout.name == name) return &layout;
        }
        return nullptr;
    }
    /** Slot of an Api method, or -1 when this generation does not have it. */
    int slotOf(const std::string& method) const {
        for (size_t slot = 0; slot < api.size(); ++slot) {
            if (api[slot] == method) return static_cast<int>(slot);
        }
        return -1;
    }
};

inline std::vector<std::string> restOf(std::istream& in) {
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    return words;
}

/** Reads what generateTable.js wrote; throws when a line is none of its. */
inline std::vector<Generation> readGenerations(const std::string& path) {
    std::ifstream file(path);
    std::vector<Generation> all;
    for (std::string line; std::getline(file, line);) {
        std::istringstream in(line);
        std::string kind, name, type;
        in >> kind;
        if (kind == "generation") {
            Generation generation{};
            in >> generation.id >> generation.factoryBools >> generation.hasVersion >> generation.idBytes;
            all.push_back(generation);
        } else if (kind == "spi") {
            all.at(all.size() - 1).spi = restOf(in);
        } else if (kind == "api") {
            all.at(all.size() - 1).api = restOf(in);
        } else if (kind == "struct") {
            int size = 0;
            in >> name >> size;
            all.at(all.size() - 1).structs.push_back({name, size, {}});
        } else {
            int offset = 0, width = 0;
            in >> name >> offset >> width >> type;
            if (kind != "field" || !in) throw std::runtime_error("not a line of a layout: " + line);
            const Type parsed = type == "text" ? Type::text : type == "f64" ? Type::f64 : Type::i32;
            all.at(all.size() - 1).structs.back().fields.push_back({name, offset, width, parsed});
        }
    }
    if (all.empty()) throw std::runtime_error("no layouts in " + path);
    return all;
}

}  // namespace abi
