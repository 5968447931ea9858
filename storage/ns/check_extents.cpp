#include "storage/ns/check_extents.h"

#include <algorithm>
#include <utility>

#include "storage/base/codec.h"

namespace outcrop::ns {

using meta::Table;

// All uses of one extent by one owner: a record in several parts has one for each. False: no more.
Result<bool> ExtentMatch::next_use() {
  if (!x_uses_left) {
    return false;
  }
  x_use_key = x_uses.key();
  const std::string_view key = x_use_key;
  x_use = {get_be64(key), get_be64(key.substr(8)), 0, 0};
  x_used = 0;
  bool first = true;
  do {
    Reader r(x_uses.value());
    Extent one = x_use;
    one.length = r.varint();
    x_used += r.varint();
    one.stamp = r.u64();
    if (std::exchange(first, false)) {
      x_use = one;
    } else if (one != x_use) {
      x_report.add("two extents at one place", get_be64(key.substr(16)),
                   std::to_string(x_use.segment));
    }
    TRY(x_uses_left, x_uses.next());
  } while (x_uses_left && x_uses.key() == x_use_key);
  return true;
}

// Uses and reference records side by side, in the order of extents and owners.
Task<> ExtentMatch::run() {
  CO_TRY(x_uses_left, x_uses.next());
  TableCursor cursor(x_meta, x_at, Table::extent_ref, x_pulse);
  CO_TRY(const meta::KeyValue* entry, co_await cursor.next());
  CO_TRY(bool use, next_use());
  while (entry != nullptr || use) {
    const bool has_ref = entry != nullptr && (!use || cursor.key() <= x_use_key);
    const bool has_use = use && (entry == nullptr || x_use_key <= cursor.key());
    if (has_use) {
      const InodeId owner = get_be64(std::string_view(x_use_key).substr(16));
      if (!has_ref) {
        x_report.add("extent without reference record", owner, std::to_string(x_use.segment));
      } else {
        compare(cursor.value());
      }
      if (x_visitor != nullptr) {
        CO_TRYV(co_await x_visitor->visit({x_use, owner}));
      }
      CO_TRYV(x_pulse.beat());
      CO_TRY(use, next_use());
    } else if (cursor.key().size() != 24) {
      x_report.add("extent reference key malformed", 0);
    } else {
      x_report.add("extent reference that nothing uses", get_be64(cursor.key().substr(16)),
                   std::to_string(get_be64(cursor.key())));
    }
    if (has_ref) {
      ++x_report.extent_refs;
      CO_TRY(entry, co_await cursor.next());
    }
  }
  co_return ok();
}

// References from before they said how much is used have the length only.
void ExtentMatch::compare(std::string_view value) {
  const auto said = meta::decode_extent_ref(value);
  const std::uint64_t used = std::min(x_use.length, x_used);
  if (!said || said->length != x_use.length || (said->used != used && said->used != said->length)) {
    x_report.add("extent reference says something else",
                 get_be64(std::string_view(x_use_key).substr(16)), std::to_string(x_use.segment));
  }
}

}  // namespace outcrop::ns
