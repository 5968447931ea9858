// Any bytes as a record of table `k`: the key up to the first line break, then the value. What is
// accepted encodes to the same bytes again.
#include <cstdint>
#include <string_view>

#include "auth/identity/record.h"
#include "storage/base/assert.h"

using namespace outcrop;
using namespace outcrop::identity;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos) {
    return 0;
  }
  const std::string_view key = text.substr(0, line), value = text.substr(line + 1);
  State state;
  if (!load_record(key, value, SealKey{}, state)) {
    return 0;
  }
  for (const auto& kind : state.entities) {
    for (const auto& [name, entity] : kind) {
      OUTCROP_ASSERT(entity_key(entity->kind, name) == key && encode(*entity) == value);
    }
  }
  for (const auto& [name, managed] : state.policies) {
    OUTCROP_ASSERT(managed_key(name) == key && encode(*managed) == value);
  }
  for (const auto& [id, account] : state.accounts) {
    OUTCROP_ASSERT(account_key(id) == key && encode(*account) == value);
  }
  for (const auto& [name, provider] : state.providers) {
    OUTCROP_ASSERT(provider_key(name) == key && encode(*provider) == value);
  }
  state.finish();
  return 0;
}
