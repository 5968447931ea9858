// A connection's bytes: the records do not depend on how they arrive, stay within the limits, and
// each is a call within the limits, a refusal, or nothing.
#include <cstdlib>
#include <string>

#include "api/nfs/record.h"

using namespace outcrop;

namespace {

constexpr std::size_t kLimit = 64 << 10;  // of a record, so that short inputs reach it

struct Fed {
  std::vector<std::string> records;
  bool sane = true;
  bool operator==(const Fed&) const = default;
};

Fed feed(ConstBytes bytes, std::size_t step) {
  Fed fed;
  nfs::RecordReader reader(kLimit);
  std::vector<Buffer> records;
  while (!bytes.empty() && fed.sane) {
    const MutBytes room = reader.room();
    if (room.empty()) {
      std::abort();
    }
    const std::size_t n = std::min({bytes.size(), step, room.size()});
    std::memcpy(room.data(), bytes.data(), n);
    bytes = bytes.subspan(n);
    fed.sane = reader.received(n, records);
    while (fed.sane && reader.wanted() > 0) {
      if (reader.wanted() > kLimit) {
        std::abort();
      }
      fed.sane = reader.supply(Buffer::make(reader.wanted()), records);
    }
  }
  for (const Buffer& r : records) {
    fed.records.emplace_back(as_text(r.view()));
  }
  return fed;
}

void check_call(ConstBytes record) {
  nfs::ParsedCall parsed = nfs::parse_call(Buffer::copy_of(record));
  if (const auto* call = std::get_if<nfs::RpcCall>(&parsed)) {
    const nfs::Credentials& c = call->credentials;
    if (c.groups.size() > nfs::kMaxGroups || c.machine.size() > nfs::kMaxMachineName ||
        !call->arguments.ok() || call->arguments.left() > record.size()) {
      std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ConstBytes all(reinterpret_cast<const std::byte*>(data), size);
  check_call(all);
  const Fed whole = feed(all, size + 1);
  for (const std::size_t step : {1, 3, 1000}) {
    if (feed(all, step) != whole) {
      std::abort();
    }
  }
  for (const std::string& record : whole.records) {
    if (record.size() > kLimit) {
      std::abort();
    }
    check_call(as_bytes(record));
  }
  return 0;
}
