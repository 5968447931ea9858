#include <algorithm>

#include "storage/ns/keys.h"
#include "storage/ns/version_record.h"
#include "tests/fuzz/storage/ns/record_fuzz.h"

namespace {
using namespace outcrop::ns;

std::string key_of(const VersionKey& key) {
  switch (key.kind) {
    case VersionKind::version:
      return version_key(key.directory, key.name, key.number);
    case VersionKind::null:
      return null_version_key(key.directory, key.name);
    case VersionKind::directory:
      return history_directory_key(key.directory, key.name);
  }
  return {};
}
}  // namespace

// A record, a key of the table, and an id that a client sends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz_text(data, size);
  // The number of a version is in its record and in its key: take it from the first. Records of
  // version 2 have a time before it.
  const std::size_t at = bytes.starts_with('\2') ? 10 : 2;
  const auto dirent = decode_dirent(bytes.substr(std::min(at, bytes.size())));
  const std::uint64_t number = dirent ? dirent->version.number : 1;
  fuzz_round_trip(
      bytes, [&](auto text) { return decode_version(text, number); },
      [](const auto& record) { return encode(record); });
  fuzz_round_trip(
      bytes, [](auto text) { return parse_version_key(text); },
      [](const auto& key) { return key_of(key); });
  return fuzz_round_trip(
      bytes, [](auto text) { return parse_version_id(text); },
      [](const auto& id) {
        return version_text(id.number ? VersionStamp{*id.number, false} : VersionStamp{});
      });
}
