// The format of sealed payload: sizes, places of units, and that no unit opens anywhere but where
// it was sealed.
#include "storage/ns/sealed.h"

#include <gtest/gtest.h>

#include "tests/support/sealed_fixture.h"

namespace outcrop::ns {
namespace {

using test::data_key;
using test::sample;

const std::vector<std::uint64_t> kSizes = {0,
                                           1,
                                           2020,
                                           2021,
                                           kUnitBytes - 1,
                                           kUnitBytes,
                                           kUnitBytes + 1,
                                           2 * kUnitBytes - 56,
                                           2 * kUnitBytes - 55,
                                           2 * kUnitBytes,
                                           2 * kUnitBytes + 1,
                                           1 << 20,
                                           (1 << 20) + 1,
                                           17 * kUnitBytes - 1};

/// Unit by unit.
struct NaiveUnit {
  UnitName name;
  std::uint64_t plain, length, stored;
};
std::vector<NaiveUnit> naive(std::uint64_t size, const std::vector<PartSummary>& parts) {
  std::vector<NaiveUnit> out;
  std::uint64_t plain = 0, stored = 0;
  const auto run = [&](std::uint32_t part, std::uint64_t length) {
    for (std::uint64_t index = 0; length > 0; ++index) {
      const std::uint64_t n = std::min<std::uint64_t>(length, 65536);
      out.push_back({{part, index}, plain, n, stored});
      plain += n;
      stored += 12 + n + 16;
      length -= n;
    }
  };
  if (parts.empty()) {
    run(0, size);
  }
  for (const PartSummary& part : parts) {
    run(part.number, part.size);
  }
  return out;
}

std::uint64_t naive_size(const std::vector<NaiveUnit>& units) {
  return units.empty() ? 0 : units.back().stored + units.back().length + 28;
}

void expect_units(std::uint64_t size, const std::vector<PartSummary>& parts) {
  const auto units = naive(size, parts);
  ASSERT_EQ(sealed_size(size, parts), naive_size(units));
  for (std::size_t i = 0; i < units.size(); ++i) {
    const NaiveUnit& unit = units[i];
    for (const std::uint64_t offset : {unit.plain, unit.plain + unit.length - 1}) {
      for (const std::uint64_t length : {std::uint64_t{1}, unit.length, 3 * kUnitBytes, size}) {
        const std::uint64_t n = std::min(length, size - offset);
        const auto found = find_units(size, parts, {offset, n}, 4);
        ASSERT_TRUE(found);
        ASSERT_EQ(found->first.part, unit.name.part);
        ASSERT_EQ(found->first.index, unit.name.index);
        ASSERT_EQ(found->plain.offset, unit.plain);
        ASSERT_EQ(found->stored.offset, unit.stored);
        // As many neighbours of the run as the range needs, up to four.
        std::size_t last = i;
        while (last + 1 < units.size() && last - i < 3 && units[last + 1].plain < offset + n &&
               units[last + 1].name.part == unit.name.part && units[last + 1].name.index != 0) {
          ++last;
        }
        ASSERT_EQ(found->plain.length, units[last].plain + units[last].length - unit.plain);
        ASSERT_EQ(found->stored.length, units[last].stored + units[last].length + 28 - unit.stored);
      }
    }
  }
}

TEST(SealedSizes, EveryBoundary) {
  EXPECT_EQ(sealed_size(0), 0U);
  EXPECT_EQ(sealed_size(1), 29U);
  EXPECT_EQ(sealed_size(65536), 65564U);
  EXPECT_EQ(sealed_size(65537), 65593U);
  for (const std::uint64_t size : kSizes) {
    SCOPED_TRACE(size);
    expect_units(size, {});
    for (const std::uint64_t second : kSizes) {
      expect_units(size + second + 5, {{3, size, {}}, {7, second, {}}, {9, 5, {}}});
    }
  }
}

TEST(SealedSizes, PartsThatAreNotTheObject) {
  EXPECT_EQ(sealed_size(10, {{1, 4, {}}, {2, 5, {}}}), std::nullopt);
  EXPECT_EQ(sealed_size(10, {{1, 4, {}}, {2, 7, {}}}), std::nullopt);
  EXPECT_EQ(sealed_size(10, {{1, 12, {}}, {2, UINT64_MAX - 1, {}}}), std::nullopt);
  EXPECT_EQ(sealed_size(kMaxObjectBytes + 1, {}), std::nullopt);
  EXPECT_FALSE(find_units(10, {{1, 4, {}}, {2, 5, {}}}, {9, 1}, 1));
  EXPECT_TRUE(find_units(10, {{1, 4, {}}, {2, 5, {}}}, {8, 1}, 1));
  EXPECT_FALSE(find_units(0, {}, {0, 1}, 1));
}

// As PayloadWriter stores a run, in pieces of `step` bytes.
std::string seal_run(const std::string& plain,
                     const DataKey& key,
                     std::uint32_t part,
                     std::size_t step) {
  UnitCipher cipher(key, UnitCipher::Direction::seal);
  std::string out;
  for (std::uint64_t at = 0, index = 0; at < plain.size(); at += kUnitBytes, ++index) {
    UnitCipher::Nonce nonce{};
    nonce[0] = static_cast<std::byte>(index);
    nonce[5] = static_cast<std::byte>(part);
    cipher.begin({part, index}, nonce);
    out.append(as_text(nonce));
    const std::string_view unit = std::string_view(plain).substr(at, kUnitBytes);
    for (std::size_t done = 0; done < unit.size(); done += step) {
      const auto some = unit.substr(done, step);
      std::string sealed(some.size(), '\0');
      cipher.update(as_bytes(some), reinterpret_cast<std::byte*>(sealed.data()));
      out += sealed;
    }
    out.append(as_text(cipher.finish()));
  }
  return out;
}

Result<std::string> open_run(const std::string& stored,
                             std::uint64_t size,
                             const DataKey& key,
                             std::uint32_t part,
                             std::size_t step = 10'000) {
  UnitCipher cipher(key, UnitCipher::Direction::open);
  std::vector<ConstBytes> pieces;
  for (std::size_t at = 0; at < stored.size(); at += step) {
    pieces.push_back(as_bytes(std::string_view(stored).substr(at, step)));
    pieces.push_back({});
  }
  TRY(const Buffer out,
      open_units(cipher, {.first = {part, 0}, .plain = {0, size}, .stored = {0, sealed_size(size)}},
                 pieces));
  return std::string(as_text(out.view()));
}

TEST(SealedUnits, RoundTripInAnyPieces) {
  for (const std::size_t size : {1U, 15U, 16U, 17U, 65'535U, 65'536U, 65'537U, 200'000U}) {
    const std::string plain = sample(size);
    for (const std::size_t step : {1'000U, 4'096U, 33U, 1'000'000U}) {
      const std::string stored = seal_run(plain, data_key(1), 5, step);
      ASSERT_EQ(stored.size(), sealed_size(size));
      ASSERT_EQ(stored.find(plain.substr(0, 15)), stored.npos);
      for (const std::size_t back : {7U, 5'000U, 1'000'000U}) {
        const auto opened = open_run(stored, size, data_key(1), 5, back);
        ASSERT_TRUE(opened) << size << " " << step << " " << back;
        ASSERT_TRUE(test::same(*opened, plain));
      }
    }
  }
}

TEST(SealedUnits, OpenNowhereElse) {
  constexpr std::size_t kSize = 2 * kUnitBytes + 100;
  const std::string plain = sample(kSize), stored = seal_run(plain, data_key(1), 0, 50'000);
  const auto code = [](const std::string& bytes, unsigned key = 1, std::uint32_t part = 0) {
    const auto opened = open_run(bytes, kSize, data_key(key), part);
    return opened ? std::nullopt : std::optional(opened.error().code());
  };
  EXPECT_EQ(code(stored), std::nullopt);
  EXPECT_EQ(code(stored, 2), Errc::corrupt) << "another key";
  EXPECT_EQ(code(stored, 1, 1), Errc::corrupt) << "another part";
  constexpr std::size_t kSealed = kUnitBytes + kSealBytes;
  for (const std::size_t at : {std::size_t{0}, kNonceBytes, std::size_t{40'000}, kSealed - 1,
                               kSealed, stored.size() - kTagBytes, stored.size() - 1}) {
    std::string flipped = stored;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    EXPECT_EQ(code(flipped), Errc::corrupt) << at;
  }
  EXPECT_EQ(code(stored.substr(kSealed, kSealed) + stored.substr(0, kSealed) +
                 stored.substr(2 * kSealed)),
            Errc::corrupt)
      << "two units changed places";
  EXPECT_EQ(
      code(stored.substr(0, kSealed) + stored.substr(0, kSealed) + stored.substr(2 * kSealed)),
      Errc::corrupt)
      << "one unit twice";
  for (const std::size_t left :
       {stored.size() - 1, 2 * kSealed + 5, 2 * kSealed, kSealed + 1, std::size_t{0}}) {
    EXPECT_EQ(code(stored.substr(0, left)), Errc::corrupt) << left;
  }
}

}  // namespace
}  // namespace outcrop::ns
