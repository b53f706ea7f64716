// Instrument id → slot, of one session. The connection worker writes; the vendor's thread reads without a lock
// on every tick.
//
// An open-addressed table of fixed entries. An entry's id is written once, before its hash is published, and
// never changes; only its slot does (-1: not subscribed any more). A full table is replaced by one of twice
// the size, and the old one is kept until the session ends, because a reader may still be in it.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace qb {

class SlotMap {
 public:
  static constexpr std::int32_t noSlot = -1;
  static constexpr std::size_t maxIdBytes = 80;

  SlotMap() { grow(256); }

  // The vendor's thread. `id` need not end with a NUL.
  std::int32_t find(const char *id, std::size_t bytes) const noexcept {
    const Table *table = table_.load(std::memory_order_acquire);
    const std::uint32_t hash = hashOf(id, bytes);
    for (std::uint32_t i = hash & table->mask;; i = (i + 1) & table->mask) {
      const Entry &entry = table->entries[i];
      const std::uint32_t found = entry.hash.load(std::memory_order_acquire);
      if (found == 0) return noSlot;
      if (found == hash && entry.bytes == bytes && std::memcmp(entry.id, id, bytes) == 0) {
        return entry.slot.load(std::memory_order_relaxed);
      }
    }
  }

  // The writer's side; calls are serialised by the session's lock. Throws std::bad_alloc.
  void set(const char *id, std::size_t bytes, std::int32_t slot) {
    if (Entry *entry = locate(id, bytes)) {
      entry->slot.store(slot, std::memory_order_relaxed);
      return;
    }
    if (slot == noSlot) return;
    Table *table = tables_.back().get();
    // At most half full, so that a probe for an unknown id ends soon.
    if ((table->used + 1) * 2 > table->mask + 1) table = grow((table->mask + 1) * 2);
    insert(*table, id, bytes, slot);
  }

 private:
  struct Entry {
    std::atomic<std::uint32_t> hash{0};
    std::atomic<std::int32_t> slot{noSlot};
    std::uint32_t bytes = 0;
    char id[maxIdBytes + 4] = {};
  };
  struct Table {
    explicit Table(std::uint32_t size) : mask(size - 1), entries(new Entry[size]) {}
    const std::uint32_t mask;
    std::uint32_t used = 0;
    std::unique_ptr<Entry[]> entries;
  };

  static std::uint32_t hashOf(const char *id, std::size_t bytes) noexcept {
    std::uint32_t hash = 2166136261u;  // FNV-1a
    for (std::size_t i = 0; i < bytes; i++) hash = (hash ^ static_cast<unsigned char>(id[i])) * 16777619u;
    return hash == 0 ? 1 : hash;
  }

  static void insert(Table &table, const char *id, std::size_t bytes, std::int32_t slot) noexcept {
    const std::uint32_t hash = hashOf(id, bytes);
    std::uint32_t i = hash & table.mask;
    while (table.entries[i].hash.load(std::memory_order_relaxed) != 0) i = (i + 1) & table.mask;
    Entry &entry = table.entries[i];
    std::memcpy(entry.id, id, bytes);
    entry.bytes = static_cast<std::uint32_t>(bytes);
    entry.slot.store(slot, std::memory_order_relaxed);
    entry.hash.store(hash, std::memory_order_release);
    table.used++;
  }

  Entry *locate(const char *id, std::size_t bytes) const noexcept {
    const Table &table = *tables_.back();
    const std::uint32_t hash = hashOf(id, bytes);
    for (std::uint32_t i = hash & table.mask;; i = (i + 1) & table.mask) {
      Entry &entry = table.entries[i];
      const std::uint32_t found = entry.hash.load(std::memory_order_relaxed);
      if (found == 0) return nullptr;
      if (found == hash && entry.bytes == bytes && std::memcmp(entry.id, id, bytes) == 0) return &entry;
    }
  }

  // Ids that are no longer subscribed are left behind.
  Table *grow(std::uint32_t size) {
    tables_.reserve(tables_.size() + 1);
    auto table = std::make_unique<Table>(size);
    if (!tables_.empty()) {
      const Table &old = *tables_.back();
      for (std::uint32_t i = 0; i <= old.mask; i++) {
        const Entry &entry = old.entries[i];
        const std::int32_t slot = entry.slot.load(std::memory_order_relaxed);
        if (slot != noSlot) insert(*table, entry.id, entry.bytes, slot);
      }
    }
    Table *result = table.get();
    tables_.push_back(std::move(table));
    table_.store(result, std::memory_order_release);
    return result;
  }

  std::atomic<const Table *> table_{nullptr};
  std::vector<std::unique_ptr<Table>> tables_;
};

}  // namespace qb
