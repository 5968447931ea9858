// Makes records of versions as old as those that do not say when a version ceased to be current.
#pragma once
#include <functional>
#include <utility>

#include "storage/base/async.h"
#include "storage/ns/keys.h"
#include "storage/ns/version_record.h"
#include "tests/support/mem_meta_store.h"

namespace outcrop::test {

using VersionChoice = std::function<bool(const ns::VersionKey&, const ns::VersionRecord&)>;

/// A batch that takes the time from those that have one and are chosen.
inline meta::Batch forget_times(const MemMetaStore& meta, const VersionChoice& chosen) {
  meta::Batch batch;
  for (const auto& [raw, value] : meta.dump()) {
    const auto key = ns::parse_version_key(raw);
    if (!key || key->kind != ns::VersionKind::version) {
      continue;
    }
    ns::VersionRecord record = ns::decode_version(value, key->number).value();
    if (record.since_ns && chosen(*key, record)) {
      record.since_ns.reset();
      batch.put(raw, encode(record));
    }
  }
  return batch;
}

}  // namespace outcrop::test
