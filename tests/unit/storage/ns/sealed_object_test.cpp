// Sealed objects: what is stored is of no use without the key, what is shown is the plaintext's,
// and every operation keeps both.
#include <gtest/gtest.h>

#include "storage/meta/tables.h"
#include "storage/ns/core.h"
#include "storage/ns/fs_data.h"
#include "storage/ns/keys.h"
#include "storage/ns/upload_record.h"
#include "tests/support/sealed_fixture.h"

namespace outcrop::ns {
namespace {

using test::data_key;
using test::same;
using test::sample;

class SealedObjects : public ::testing::Test, protected test::SealedFixture {
 protected:
  SealedObjects() : SealedFixture({.min_part_bytes = 1}) {}
  ~SealedObjects() override {
    if (x_whole) {
      expect_clean();
    }
    blobs.collect();
  }

  InodeRecord record(const std::string& key) {
    const auto value = must(meta.get(inode_key(stat(key).ino), {}));
    return decode_inode(*value).value();
  }
  std::string stored(const std::string& key) {
    const InodeRecord r = record(key);
    std::string out = r.inline_data;
    for (const Piece& piece : r.lists.pieces) {
      out += blobs.content(piece.extent).substr(piece.skip, piece.length);
    }
    return out;
  }
  /// Behind the back of everybody.
  void put_record(InodeId ino, const InodeRecord& changed) {
    meta::Batch batch;
    batch.put(inode_key(ino), encode_main(changed));
    must(meta.commit(std::move(batch)));
    x_whole = false;
  }
  bool complains(std::string_view what) {
    const TreeReport report = must(check_tree(meta));
    return std::ranges::find(report.problems, what, &TreeProblem::what) != report.problems.end();
  }
  CopyRequest copy_of(std::string key) {
    CopyRequest request;
    request.source_bucket = "b";
    request.source_key = std::move(key);
    return request;
  }

  bool x_whole = true;
};

TEST_F(SealedObjects, EverySizeInEveryPlace) {
  for (const std::size_t size : {0U, 1U, 2020U, 2021U, 65'535U, 65'536U, 65'537U, 131'016U,
                                 131'017U, 131'072U, 140'000U, 1'048'576U, 3'000'001U}) {
    const std::string plain = sample(size);
    for (const std::uint64_t hint :
         {std::uint64_t{0}, std::uint64_t{size}, std::uint64_t{5}, std::uint64_t{400'000}}) {
      SCOPED_TRACE(std::to_string(size) + " announced as " + std::to_string(hint));
      const ObjectInfo info = must(seal_task("k", plain, "1", hint, 33'333));
      ASSERT_EQ(info.size, size);
      ASSERT_EQ(stat("k").size, size);
      ASSERT_EQ(list({}).entries.front().size, size);
      ASSERT_EQ(stored("k").size(), sealed_size(size));
      ASSERT_TRUE(same(unseal("k").value(), plain));
      const InodeRecord r = record("k");
      const bool announced_large = hint > 131'016;
      ASSERT_EQ(r.inline_data.empty(), size == 0 || size > 2020 || announced_large)
          << "inline, as small as it is stored";
      ASSERT_EQ(r.lists.pieces.size(),
                r.inline_data.empty() ? (sealed_size(size) + 262'143) / 262'144 : 0);
      if (size > 16) {
        ASSERT_EQ(stored("k").find(plain.substr(0, 16)), std::string::npos);
        ASSERT_EQ(stored("k").find(plain.substr(size - 16)), std::string::npos);
      }
    }
  }
}

TEST_F(SealedObjects, TheSameBytesAreNeverStoredTheSameWay) {
  seal("a", sample(5'000), "1");
  seal("b", sample(5'000), "1");
  EXPECT_NE(stored("a"), stored("b"));
}

TEST_F(SealedObjects, Ranges) {
  const std::string plain = sample(3 * kUnitBytes + 1'000);
  seal("k", plain);
  std::vector<std::uint64_t> edges = {0, 1, 40'000, plain.size() - 1, plain.size()};
  for (std::uint64_t unit = 1; unit < 4; ++unit) {
    edges.insert(edges.end(), {unit * kUnitBytes - 1, unit * kUnitBytes, unit * kUnitBytes + 1});
  }
  auto reader = must(ns->open_read("b", "k"));
  reader->unseal(data_key(1));
  for (const std::uint64_t from : edges) {
    for (const std::uint64_t to : edges) {
      if (from <= to) {
        ASSERT_TRUE(
            same(must(test::read_range(*reader, {from, to - from})), plain.substr(from, to - from)))
            << from << " " << to;
      }
    }
  }
}

TEST_F(SealedObjects, SmallRangesReadOneUnit) {
  seal("k", sample(3'000'000));
  const std::uint64_t before = blobs.reads();
  EXPECT_EQ(unseal("k", data_key(1), {1'000'000, 10})->size(), 10U);
  EXPECT_LE(blobs.reads() - before, 2U) << "a unit lies in one extent or two";
}

TEST_F(SealedObjects, NothingIsReadWithoutTheKey) {
  for (const std::size_t size : {10U, 5'000U, 300'000U}) {
    seal("k", sample(size));
    EXPECT_EQ(get("k").error().code(), Errc::sealed);
    EXPECT_EQ(unseal("k", data_key(2)).error().code(), Errc::corrupt);
  }
  seal("empty", "");
  EXPECT_EQ(get("empty").value(), "") << "there is nothing to open";
  put("plain", "text");
  EXPECT_EQ(unseal("plain", data_key(1)).value(), "text") << "and a key changes nothing here";
}

TEST_F(SealedObjects, ChangedBytesAreNotRead) {
  seal("k", sample(300'000));
  const InodeRecord r = record("k");
  ASSERT_EQ(r.lists.pieces.size(), 2U);
  std::string& first = blobs.content(r.lists.pieces[0].extent);
  first[100] = static_cast<char>(first[100] ^ 1);
  EXPECT_EQ(unseal("k").error().code(), Errc::corrupt);
  EXPECT_TRUE(same(unseal("k", data_key(1), {kUnitBytes, 1'000'000}).value(),
                   sample(300'000).substr(kUnitBytes)))
      << "what lies behind it is whole";
  first[100] = static_cast<char>(first[100] ^ 1);
  constexpr std::size_t kSealed = kUnitBytes + kSealBytes;
  std::swap_ranges(first.begin(), first.begin() + kSealed, first.begin() + kSealed);
  EXPECT_EQ(unseal("k").error().code(), Errc::corrupt) << "two units changed places";
}

TEST_F(SealedObjects, PayloadAndEnvelopeBelongTogether) {
  const auto put_with = [this](std::optional<DataKey> key, std::uint32_t part,
                               std::string envelope) {
    auto writer = must(ns->open_write("b", "k", {.size_hint = 0, .seal = key, .part = part}));
    must(test::write_all(*writer, "bytes", 10));
    PutRequest request;
    request.attributes.envelope = std::move(envelope);
    const auto done = run(ns->put("b", "k", std::move(writer), std::move(request)));
    return done ? std::nullopt : std::optional(done.error().code());
  };
  EXPECT_EQ(put_with(data_key(1), 0, ""), Errc::invalid_argument);
  EXPECT_EQ(put_with(std::nullopt, 0, "1"), Errc::invalid_argument);
  EXPECT_EQ(put_with(data_key(1), 3, "1"), Errc::invalid_argument) << "a part is no object";
  EXPECT_EQ(get("k").error().code(), Errc::no_such_key);
  EXPECT_EQ(put_with(data_key(1), 0, "1"), std::nullopt);
  const std::string sealed = start_upload("m", "1").upload_id,
                    plain = start_upload("m", "").upload_id;
  const auto part = [this](const std::string& id, WriteOptions how) {
    const auto done = run(part_task("m", id, 2, "bytes", how));
    return done ? std::nullopt : std::optional(done.error().code());
  };
  EXPECT_EQ(part(sealed, {}), Errc::invalid_argument);
  EXPECT_EQ(part(sealed, {.seal = data_key(1), .part = 1}), Errc::invalid_argument);
  EXPECT_EQ(part(sealed, {.seal = data_key(1), .part = 2}), std::nullopt);
  EXPECT_EQ(part(plain, {.seal = data_key(1), .part = 2}), Errc::invalid_argument);
  EXPECT_EQ(part(plain, {}), std::nullopt);
}

TEST_F(SealedObjects, PartsAreRuns) {
  const std::vector<std::pair<std::uint32_t, std::string>> parts = {{2, sample(kUnitBytes + 7, 2)},
                                                                    {3, sample(100, 3)},
                                                                    {7, sample(3 * kUnitBytes, 7)},
                                                                    {9, sample(700'000, 9)},
                                                                    {10, sample(1, 10)}};
  const ObjectInfo info = upload("m", "5", parts);
  std::string all;
  std::vector<std::uint64_t> edges = {0};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    EXPECT_EQ(info.parts[i].number, parts[i].first);
    EXPECT_EQ(info.parts[i].size, parts[i].second.size());
    all += parts[i].second;
    edges.insert(edges.end(), {all.size() - 1, all.size(), std::min(all.size() + 1, all.size())});
  }
  EXPECT_EQ(info.size, all.size());
  EXPECT_TRUE(same(unseal("m").value(), all));
  auto reader = must(ns->open_read("b", "m"));
  reader->unseal(data_key(5));
  for (const std::uint64_t from : edges) {
    for (const std::uint64_t to : edges) {
      if (from < to) {
        ASSERT_TRUE(
            same(must(test::read_range(*reader, {from, to - from})), all.substr(from, to - from)))
            << from << " " << to;
      }
    }
  }
}

TEST_F(SealedObjects, PartsAreListedAsTheyWereSent) {
  const std::string id = start_upload("m", "1").upload_id;
  must(part_task("m", id, 1, sample(100'000), {.seal = data_key(1), .part = 1}));
  must(part_task("m", id, 1, sample(70'000), {.seal = data_key(1), .part = 1}));
  const PartList parts = must(ns->list_parts("b", "m", id, 0, 10));
  EXPECT_EQ(parts.upload.attributes.envelope, "1");
  ASSERT_EQ(parts.parts.size(), 1U);
  EXPECT_EQ(parts.parts.front().size, 70'000U);
  expect_clean();
}

TEST_F(SealedObjects, PartsThatChangedPlacesAreNotRead) {
  upload("m", "1", {{1, sample(200'000, 1)}, {2, sample(200'000, 2)}});
  const InodeRecord r = record("m");
  ASSERT_EQ(r.lists.pieces.size(), 2U);
  std::swap(blobs.content(r.lists.pieces[0].extent), blobs.content(r.lists.pieces[1].extent));
  EXPECT_EQ(unseal("m").error().code(), Errc::corrupt);
}

TEST_F(SealedObjects, PartsAreNotCopiedByReference) {
  seal("sealed", sample(300'000));
  put("plain", sample(300'000));
  const std::string into_sealed = start_upload("m", "1").upload_id;
  const std::string into_plain = start_upload("m", "").upload_id;
  const auto code = [this](const std::string& id, const std::string& from) {
    auto reader = must(ns->open_read("b", from));
    const auto done = run(ns->copy_part("b", "m", id, 1, *reader, {0, 200'000}, "", {}));
    return done ? std::nullopt : std::optional(done.error().code());
  };
  EXPECT_EQ(code(into_sealed, "sealed"), Errc::invalid_argument);
  EXPECT_EQ(code(into_sealed, "plain"), Errc::invalid_argument);
  EXPECT_EQ(code(into_plain, "sealed"), Errc::invalid_argument);
  EXPECT_EQ(code(into_plain, "plain"), std::nullopt);
  put("inline", "small");
  EXPECT_EQ(run(ns->copy_part("b", "m", into_sealed, 1, *must(ns->open_read("b", "inline")), {0, 5},
                              "", {}))
                .error()
                .code(),
            Errc::invalid_argument);
}

TEST_F(SealedObjects, CopiesShareBytesAndKey) {
  const std::string plain = sample(500'000);
  seal("from", plain, "4");
  const std::size_t extents = blobs.extents();
  CopyRequest request = copy_of("from");
  request.envelope = "4:wrapped anew";
  request.source_envelope = "4";
  EXPECT_EQ(must(ns->copy("b", "to", request)).attributes.envelope, "4:wrapped anew");
  EXPECT_EQ(must(ns->copy("b", "again", copy_of("from"))).attributes.envelope, "4");
  EXPECT_EQ(blobs.extents(), extents) << "no byte was copied";
  ASSERT_TRUE(remove("from").value());
  blobs.collect();
  EXPECT_TRUE(same(unseal("to").value(), plain));
  EXPECT_TRUE(same(unseal("again").value(), plain));
  EXPECT_EQ(stat("to").size, plain.size());
}

TEST_F(SealedObjects, WhatIsCopiedIsWhatWasLookedAt) {
  seal("sealed", "bytes", "4");
  put("plain", "bytes");
  const auto code = [this](const std::string& from, std::optional<std::string> looked_at,
                           std::optional<std::string> envelope) {
    CopyRequest request = copy_of(from);
    request.source_envelope = std::move(looked_at);
    request.envelope = std::move(envelope);
    const auto done = run(ns->copy("b", "to", request));
    return done ? std::nullopt : std::optional(done.error().code());
  };
  EXPECT_EQ(code("sealed", "", std::nullopt), Errc::conflict);
  EXPECT_EQ(code("sealed", "5", "4:"), Errc::conflict);
  EXPECT_EQ(code("plain", "4", "4:"), Errc::conflict);
  EXPECT_EQ(code("sealed", "4", ""), Errc::invalid_argument) << "it would be read as plaintext";
  EXPECT_EQ(code("plain", "", "4"), Errc::invalid_argument);
  EXPECT_EQ(code("plain", std::nullopt, "4"), Errc::invalid_argument);
  EXPECT_EQ(get("to").error().code(), Errc::no_such_key);
  EXPECT_EQ(code("plain", "", ""), std::nullopt);
  EXPECT_EQ(get("to").value(), "bytes");
}

TEST_F(SealedObjects, AttributesChangeAndTheEnvelopeStays) {
  const std::string plain = sample(200'000);
  seal("k", plain, "6");
  must(ns->set_tags("b", "k", {{"t", "v"}}, {}));
  must(ns->set_acl("b", "k", {}, "an ACL", {}, {}));
  EXPECT_EQ(stat("k").attributes.envelope, "6");
  EXPECT_EQ(stat("k").attributes.tags.size(), 1U);
  CopyRequest onto_itself = copy_of("k");
  onto_itself.replace.emplace().content_type = "new";
  onto_itself.replace->envelope = "of no meaning";
  EXPECT_EQ(must(ns->copy("b", "k", onto_itself)).attributes.envelope, "6");
  onto_itself.envelope = "6:rotated";
  EXPECT_EQ(must(ns->copy("b", "k", onto_itself)).attributes.envelope, "6:rotated");
  EXPECT_EQ(stat("k").attributes.content_type, "new");
  must(ns->rename("b", "k", "d/moved"));
  EXPECT_TRUE(same(unseal("d/moved").value(), plain));
  must(ns->rename("b", "d/", "e/"));
  EXPECT_TRUE(same(unseal("e/moved").value(), plain));
}

TEST_F(SealedObjects, VersionsKeepTheirs) {
  must(ns->put_versioning("b", Versioning::enabled));
  const std::string first = seal("k", sample(100'000, 1), "1").version_id;
  const std::string second = seal("k", sample(100'000, 2), "2").version_id;
  put("k", "plain");
  CopyRequest onto_itself = copy_of("k");
  onto_itself.replace.emplace().content_type = "new";
  const auto read = [this](const std::string& version, unsigned key) -> Task<std::string> {
    CO_TRY(auto reader, co_await ns->open_read("b", "k", version));
    reader->unseal(data_key(key));
    co_return co_await test::read_range(*reader, {0, reader->info().size});
  };
  EXPECT_TRUE(same(must(read(first, 1)), sample(100'000, 1)));
  EXPECT_TRUE(same(must(read(second, 2)), sample(100'000, 2)));
  EXPECT_EQ(get("k").value(), "plain");
  CopyRequest back = copy_of("k");
  back.source_version = first;
  back.envelope = "1:back";
  must(ns->copy("b", "k", back));
  EXPECT_TRUE(same(unseal("k").value(), sample(100'000, 1)));
  back.source_version.clear();
  back.envelope = "1:in place";
  must(ns->copy("b", "k", back));
  EXPECT_EQ(must(ns->stat("b", "k")).attributes.envelope, "1:in place");
  EXPECT_TRUE(same(unseal("k").value(), sample(100'000, 1)));
}

TEST_F(SealedObjects, CompactionKnowsNothingOfIt) {
  const std::string large = sample(900'000, 1), small = sample(50'000, 2);
  const std::string parts = sample(300'000, 3);
  seal("large", large);
  seal("small", small);
  seal("inline", "few bytes");
  upload("m", "3", {{1, parts}, {2, parts}});
  must(ns->copy("b", "copy", copy_of("large")));
  auto reader = must(ns->open_read("b", "large"));
  reader->unseal(data_key(1));
  std::string seen = must(test::read_range(*reader, {0, 100'000}));
  blobs.next_segment();
  std::uint64_t moved = 0;
  for (const SegmentId segment : blobs.old_segments()) {
    for (bool finished = false; !finished;) {
      const Relocated step = must(ns->relocate(segment, 100'000, segment::Purpose::upkeep));
      moved += step.bytes;
      finished = step.finished;
    }
  }
  EXPECT_EQ(moved,
            sealed_size(large.size()) + sealed_size(small.size()) + 2 * sealed_size(parts.size()));
  blobs.collect();
  EXPECT_TRUE(same(unseal("large").value(), large));
  EXPECT_TRUE(same(unseal("copy").value(), large));
  EXPECT_TRUE(same(unseal("small").value(), small));
  EXPECT_TRUE(same(unseal("inline").value(), "few bytes"));
  EXPECT_TRUE(same(unseal("m").value(), parts + parts));
  seen += must(test::read_range(*reader, {100'000, 800'000}));
  EXPECT_TRUE(same(seen, large)) << "a reader goes on in the old places";
}

TEST_F(SealedObjects, NeitherDoesDefragmentation) {
  std::vector<std::pair<std::uint32_t, std::string>> parts;
  std::string all;
  for (std::uint32_t number = 1; number <= 20; ++number) {
    parts.emplace_back(number, sample(60'000 + 1'000 * number, number));
    all += parts.back().second;
  }
  const InodeId ino = upload("m", "3", parts).ino;
  const InodeRecord before = record("m");
  {
    NamespaceConfig config;
    config.fragmented_pieces = 4;
    Core core(meta, blobs, clock, random, config);
    must(core.open());
    must(defragment_file(core, ino));
  }
  crash();
  const InodeRecord after = record("m");
  EXPECT_LT(after.lists.pieces.size(), before.lists.pieces.size());
  EXPECT_EQ(after.lists.parts, before.lists.parts);
  EXPECT_EQ(after.size, before.size);
  EXPECT_TRUE(same(unseal("m").value(), all));
}

// More parts than one record holds.
TEST_F(SealedObjects, ListsOfPartsInManyRecords) {
  std::vector<std::pair<std::uint32_t, std::string>> parts;
  std::string all;
  for (std::uint32_t number = 1; number <= 400; ++number) {
    parts.emplace_back(number, sample(2'100 + number, number));
    all += parts.back().second;
  }
  upload("m", "8", parts);
  EXPECT_GT(record("m").tails, 0U);
  EXPECT_TRUE(same(unseal("m").value(), all));
  EXPECT_TRUE(
      same(unseal("m", data_key(8), {500'000, 70'000}).value(), all.substr(500'000, 70'000)));
}

TEST_F(SealedObjects, TheCheckKnowsBothSizes) {
  seal("k", sample(100'000));
  seal("inline", "few bytes");
  upload("m", "1", {{1, sample(1'000)}, {2, sample(5'000)}});
  expect_clean();
  for (const char* key : {"k", "inline", "m"}) {
    const InodeRecord good = record(key);
    InodeRecord bad = good;
    bad.size += 1;
    put_record(stat(key).ino, bad);
    EXPECT_TRUE(complains("size or continuation records differ")) << key;
    bad = good;
    bad.attributes.envelope.clear();
    put_record(stat(key).ino, bad);
    EXPECT_TRUE(complains("size or continuation records differ")) << key;
    put_record(stat(key).ino, good);
    expect_clean();
  }
  InodeRecord parts = record("m");
  parts.lists.parts[0].size += 1;
  put_record(stat("m").ino, parts);
  EXPECT_TRUE(complains("size or continuation records differ"));
}

TEST_F(SealedObjects, TheCheckKnowsWhichPartsAreSealed) {
  const UploadInfo made = start_upload("m", "1");
  must(part_task("m", made.upload_id, 1, sample(5'000), {.seal = data_key(1), .part = 1}));
  must(part_task("m", made.upload_id, 2, "", {.seal = data_key(1), .part = 2}));
  expect_clean();
  x_whole = false;
  const std::string key = upload_key(root, "m", made.upload_id);
  const UploadRecord good = decode_upload(*must(meta.get(key, {}))).value();
  UploadRecord bad = good;
  bad.attributes.envelope.clear();
  meta::Batch batch;
  batch.put(key, encode(bad));
  must(meta.commit(std::move(batch)));
  EXPECT_TRUE(complains("part is not sealed as its upload is"));
}

// What a record says is believed as far as it goes, and no further.
TEST_F(SealedObjects, RecordsThatContradictThemselves) {
  const InodeId ino = seal("k", sample(100'000)).ino;
  const InodeRecord good = record("k");
  InodeRecord bad = good;
  bad.lists.parts = {{1, 5'000, {}}};
  put_record(ino, bad);
  crash();
  EXPECT_EQ(unseal("k", data_key(1)).error().code(), Errc::corrupt);
  bad = good;
  bad.size = 200'000;
  put_record(ino, bad);
  crash();
  EXPECT_EQ(unseal("k", data_key(1)).error().code(), Errc::corrupt);
  bad = good;
  bad.lists.pieces.front() = {.extent = {}, .skip = 0, .length = bad.lists.pieces.front().length};
  put_record(ino, bad);
  crash();
  EXPECT_EQ(unseal("k", data_key(1)).error().code(), Errc::corrupt);
}

}  // namespace
}  // namespace outcrop::ns
