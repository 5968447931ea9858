// Sealed objects over the in-memory stores: envelopes are "<n>" or "<n>:<anything>", and n says
// what the data key is.
#pragma once
#include <string>

#include "storage/ns/key_ring.h"
#include "storage/ns/sealed.h"
#include "tests/support/file_fixture.h"

namespace outcrop::test {

inline ns::DataKey data_key(unsigned n) {
  std::array<std::byte, ns::DataKey::kBytes> bytes{};
  bytes[n % 32] = static_cast<std::byte>(n + 1);
  return ns::DataKey(bytes);
}
inline ns::DataKey key_in(std::string_view envelope) {
  return data_key(static_cast<unsigned>(std::stoul(std::string(envelope))));
}

/// Opens all envelopes but those of n = kClientsOwn.
class TestKeyRing final : public ns::KeyRing {
 public:
  static constexpr unsigned kClientsOwn = 99;
  Result<ns::DataKey> open(std::string_view envelope) override {
    ++opened;
    if (envelope.starts_with(std::to_string(kClientsOwn))) {
      return fail(Errc::access_denied);
    }
    return key_in(envelope);
  }
  unsigned opened = 0;
};

inline std::string sample(std::size_t size, unsigned seed = 1) {
  std::string out(size, '\0');
  std::uint64_t state = seed;
  for (char& c : out) {
    state = state * 6364136223846793005 + 1442695040888963407;
    c = static_cast<char>(state >> 56);
  }
  return out;
}

struct SealedFixture : FileFixture {
  explicit SealedFixture(ns::NamespaceConfig config = {}) : FileFixture(config) {}

  Task<ns::ObjectInfo> seal_task(std::string key,
                                 std::string data,
                                 std::string envelope,
                                 std::uint64_t hint,
                                 std::size_t step) {
    CO_TRY(auto writer, co_await ns->open_write(
                            "b", key, {.size_hint = hint, .seal = key_in(envelope), .part = 0}));
    CO_TRYV(co_await write_all(*writer, data, step));
    EXPECT_EQ(writer->size(), data.size());
    ns::PutRequest request;
    request.attributes.envelope = std::move(envelope);
    request.etag = std::string(32, 'e');
    co_return co_await ns->put("b", key, std::move(writer), std::move(request));
  }
  ns::ObjectInfo seal(std::string key, std::string data, std::string envelope = "1") {
    const std::size_t hint = data.size();
    return must(seal_task(std::move(key), std::move(data), std::move(envelope), hint, 50'000));
  }
  Task<std::string> unseal_task(std::string key, ns::DataKey with, ns::ByteRange range) {
    CO_TRY(auto reader, co_await ns->open_read("b", key));
    reader->unseal(with);
    range.length = std::min(range.length, reader->info().size - range.offset);
    co_return co_await read_range(*reader, range);
  }
  Result<std::string> unseal(std::string key,
                             ns::DataKey with,
                             ns::ByteRange range = {0, UINT64_MAX}) {
    return run(unseal_task(std::move(key), with, range));
  }
  Result<std::string> unseal(std::string key) {
    return unseal(key, key_in(stat(key).attributes.envelope));
  }

  ns::UploadInfo start_upload(std::string key, std::string envelope) {
    ns::ObjectAttributes attributes;
    attributes.envelope = std::move(envelope);
    return must(ns->create_upload("b", key, std::move(attributes), digest::Algorithm::none,
                                  digest::ChecksumType::full_object));
  }
  Task<ns::PartInfo> part_task(std::string key,
                               std::string id,
                               std::uint32_t number,
                               std::string data,
                               ns::WriteOptions how) {
    how.size_hint = data.size();
    CO_TRY(auto writer, co_await ns->open_write("b", key, how));
    CO_TRYV(co_await write_all(*writer, data, 70'000));
    co_return co_await ns->put_part("b", key, id, number, std::move(writer), std::string(32, 'a'),
                                    {});
  }
  ns::ObjectInfo upload(std::string key,
                        std::string envelope,
                        const std::vector<std::pair<std::uint32_t, std::string>>& parts) {
    const std::string id = start_upload(key, envelope).upload_id;
    ns::CompleteRequest request;
    for (const auto& [number, data] : parts) {
      must(part_task(key, id, number, data, {.seal = key_in(envelope), .part = number}));
      request.parts.push_back({number, std::string(32, 'a'), {}});
    }
    return must(ns->complete_upload("b", key, id, std::move(request)));
  }
};

}  // namespace outcrop::test
