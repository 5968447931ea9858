#include "storage/check/fsck.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "storage/check/payload_check.h"
#include "storage/check/replay_proof.h"
#include "storage/io/overlay_disk.h"
#include "storage/io/sim_disk.h"
#include "storage/meta/extent_ref.h"
#include "storage/meta/mirror.h"
#include "storage/meta/offline_meta.h"
#include "storage/meta/tables.h"
#include "storage/ns/bucket_record.h"
#include "storage/ns/inode_allocator.h"
#include "storage/ns/keys.h"
#include "storage/ns/tally_record.h"
#include "storage/segment/format.h"
#include "tests/support/sim_engine.h"

namespace outcrop::check {
namespace {

using test::pattern;
using test::SimEngine;

constexpr unsigned kDrives = 4, kParity = 2;

class FsckTest : public testing::Test {
 protected:
  FsckTest() : world(test::world_with_bucket(kDrives, kParity, 1)) {
    in_engine([](SimEngine& engine) {
      ASSERT_TRUE(engine.put("small", pattern(1, 300)));
      ASSERT_TRUE(engine.put("dir/record", pattern(2, 20'000)));
      ASSERT_TRUE(engine.put("dir/stripes", pattern(3, 700'000)));
      ASSERT_TRUE(engine.multipart("parts", {pattern(4, 200'000), pattern(5, 90'000)}));
      ASSERT_TRUE(engine.copy("dir/record", "copy"));
    });
  }

  /// One run of the server, closed at its end.
  void in_engine(const std::function<void(SimEngine&)>& body) {
    SimEngine engine(world, 2);
    ASSERT_TRUE(engine.open());
    body(engine);
    ASSERT_TRUE(engine.close());
  }
  void commit(meta::Batch batch) {
    in_engine([&](SimEngine& engine) {
      ASSERT_TRUE(engine.run(engine.engine().meta().commit(std::move(batch))));
    });
  }
  /// Behind the journal's back; `count` 0: all mirrors, else so many from the second one on.
  void change_mirrors(meta::Batch batch, std::size_t count = 0) {
    auto drives = drives::DriveSet::open(world.open_disks()).value();
    const std::vector<drives::Slot> mirrors = drives->record().mirrors;
    for (std::size_t i = count == 0 ? 0 : 1; i < (count == 0 ? mirrors.size() : 1 + count); ++i) {
      meta::IndexOptions options;
      options.cache = std::make_shared<meta::IndexCache>(1 << 20);
      auto mirror = meta::Mirror::open(*drives, mirrors[i], options);
      ASSERT_TRUE(mirror) << mirror.error().describe();
      meta::IndexBatch updates;
      for (const meta::Mutation& m : batch.mutations) {
        m.value ? updates.put(m.key, *m.value) : updates.erase(m.key);
      }
      ASSERT_TRUE((*mirror)->index().apply(std::move(updates).take(), true));
      ASSERT_TRUE((*mirror)->index().flush());
    }
  }
  /// Records of a table, with all their key.
  std::vector<meta::KeyValue> records(meta::Table table) {
    std::vector<meta::KeyValue> out;
    in_engine([&](SimEngine& engine) {
      auto page = engine.run(engine.engine().meta().scan(
          {.lower = meta::table_key(table), .upper = meta::prefix_end(meta::table_key(table))}));
      ASSERT_TRUE(page);
      out = std::move(page->entries);
    });
    return out;
  }

  Result<void> check(bool metadata_only = false) {
    report = {};
    io::SimWorld scratch(kDrives + 2);
    const std::uint64_t steps = world.io_count();
    FsckInput input;
    for (unsigned i = 0; i < kDrives; ++i) {
      auto disk = world.open_disk(i);
      input.drives.push_back({"drive" + std::to_string(i), nullptr, why_not_open});
      if (disk) {
        input.drives.back().disk =
            io::make_overlay_disk(*std::move(disk), scratch.open_disk(i).value());
      }
    }
    const auto sorting = scratch.open_disk(kDrives).value();
    input.scratch = sorting.get();
    input.memory_bytes = 4 << 20;
    input.metadata_only = metadata_only;
    input.progress = [this](std::string_view phase, std::uint64_t, std::uint64_t) {
      return phase != stop_at;
    };
    auto done = run_sync(run_fsck(std::move(input), report));
    EXPECT_EQ(world.io_count(), steps) << "fsck wrote to a drive";
    return done;
  }
  /// Codes of all problems, each once, in order.
  std::string codes() const {
    std::set<std::string_view> found;
    for (const Finding& f : report.findings.listed()) {
      if (f.severity == Severity::problem) {
        found.insert(f.code);
      }
    }
    std::string out;
    for (const std::string_view code : found) {
      out.append(out.empty() ? "" : " ").append(code);
    }
    return out;
  }
  /// The message of the first finding of a code.
  std::string message(std::string_view code) const {
    const auto at = std::ranges::find(report.findings.listed(), code, &Finding::code);
    return at == report.findings.listed().end() ? "" : at->message;
  }
  void expect_codes(const std::string& want) {
    ASSERT_TRUE(check());
    EXPECT_EQ(codes(), want);
    for (const Finding& f : report.findings.listed()) {
      EXPECT_FALSE(f.advice.empty()) << f.message;
    }
  }
  /// Where the n-th chunk of an object of this kind lies in a shard file of a drive.
  struct Place {
    unsigned drive = 0;
    std::string path;
    std::uint64_t offset = 0;
  };
  std::vector<Place> places(bool small) {
    std::vector<Place> out;
    for (const auto& [key, value] : records(meta::Table::extent_ref)) {
      const SegmentId id = get_be64(std::string_view(key).substr(1));
      for (const auto& s : records(meta::Table::segment)) {
        const auto record = segment::decode_segment(s.value).value();
        for (unsigned i = 0; record.id == id && record.small == small && i < record.slots.size();
             ++i) {
          out.push_back({record.slots[i], segment::shard_path(id, i),
                         get_be64(std::string_view(key).substr(9))});
        }
      }
      if (!out.empty()) {
        break;
      }
    }
    return out;
  }

  io::SimWorld world;
  Report report;
  std::string_view stop_at = "nothing";
  std::string why_not_open;  ///< of drives that are removed; empty: they are not there
};

TEST_F(FsckTest, AWholeStoreIsClean) {
  expect_codes("");
  EXPECT_EQ(report.findings.notes(), 0U);
  EXPECT_EQ(report.files, 5U);
  EXPECT_EQ(report.mirrors, kParity + 1);
  EXPECT_GT(report.chunks, 0U);
  EXPECT_EQ(report.segments, report.segments_whole + report.segments_unused);
  EXPECT_EQ(report.drives.size(), kDrives);
}

// What is stored is larger than the objects, by as much as sealing adds.
TEST_F(FsckTest, EncryptedObjectsAreWhole) {
  ASSERT_TRUE(check());
  const std::uint64_t before = report.object_bytes;
  in_engine([](SimEngine& engine) {
    ASSERT_TRUE(engine.put("sealed/inline", pattern(1, 300), true));
    ASSERT_TRUE(engine.put("sealed/record", pattern(2, 20'000), true));
    ASSERT_TRUE(engine.put("sealed/stripes", pattern(3, 700'000), true));
    ASSERT_TRUE(engine.multipart("sealed/parts", {pattern(4, 200'000), pattern(5, 9)}, true));
  });
  expect_codes("");
  const std::uint64_t units = 1 + 1 + 11 + 4 + 1;
  EXPECT_EQ(report.object_bytes - before, 300U + 20'000 + 700'000 + 200'009 + 28 * units);
}

TEST_F(FsckTest, AfterAKillTheJournalIsReplayed) {
  {
    SimEngine engine(world, 3);
    ASSERT_TRUE(engine.open());
    ASSERT_TRUE(engine.put("late", pattern(9, 50'000)));
  }
  world.reboot(3);
  expect_codes("");
  EXPECT_GT(report.replayed, 0U);
  EXPECT_EQ(report.files, 6U);
}

TEST_F(FsckTest, AReferenceThatIsMissingNamesItsObject) {
  meta::Batch batch;
  batch.erase(records(meta::Table::extent_ref).front().key);
  commit(std::move(batch));
  expect_codes("reference-missing");
  EXPECT_NE(message("reference-missing").find("object \"bucket/"), std::string::npos)
      << message("reference-missing");
}

TEST_F(FsckTest, ReferencesThatAreTooManyOrSayOtherThings) {
  auto refs = records(meta::Table::extent_ref);
  meta::Batch batch;
  batch.put(refs.front().key, meta::encode(meta::ExtentRef{12'345, 12'345}));
  const Extent extent{get_be64(std::string_view(refs[0].key).substr(1)), 4096 * 77, 10, 0};
  batch.put(meta::extent_ref_key(extent, 3), meta::encode(meta::ExtentRef{10, 10}));
  commit(std::move(batch));
  expect_codes("reference-extra reference-wrong");
}

TEST_F(FsckTest, WhatABucketHoldsIsCountedAgain) {
  for (const auto& [key, value] : records(meta::Table::tally)) {
    if (ns::parse_tally_key(key)->cell) {
      meta::Batch batch;
      batch.put(key, ns::encode_cell({1, 1}));
      commit(std::move(batch));
      break;
    }
  }
  expect_codes("usage-differs");
  EXPECT_NE(message("usage-differs").find("bucket"), std::string::npos) << message("usage-differs");
}

TEST_F(FsckTest, NamesInodesAndTheCounterBelongTogether) {
  meta::Batch batch;
  for (const auto& [key, value] : records(meta::Table::dirent)) {
    if (ns::dirent_name(key) == "small") {
      batch.erase(key);
    }
  }
  commit(std::move(batch));
  expect_codes("tree-orphan");
  meta::Batch counter;
  counter.put(ns::inode_counter_key(), ns::encode_counter(3));
  // A server would count on from there: only the mirrors are changed.
  change_mirrors(std::move(counter));
  expect_codes("inode-number tree-orphan");
}

TEST_F(FsckTest, OneMirrorThatLacksAReferenceIsToldFromTheOthers) {
  meta::Batch batch;
  batch.erase(records(meta::Table::extent_ref).front().key);
  change_mirrors(std::move(batch), 1);
  expect_codes("mirror-tree mirrors-differ");
  EXPECT_NE(message("mirrors-differ").find("1 record (only in the first: reference: segment"),
            std::string::npos)
      << message("mirrors-differ");
  EXPECT_NE(message("mirror-tree").find("extent without reference record"), std::string::npos);
}

TEST_F(FsckTest, DamagedChunksAreRebuildableUntilTooFewAreLeft) {
  for (const bool small : {false, true}) {
    const std::vector<Place> shards = places(small);
    ASSERT_GE(shards.size(), 3U);
    const std::size_t bearable = small ? shards.size() - 1 : kParity;
    const auto hit = [&](std::size_t i) {
      ASSERT_TRUE(world.corrupt(shards[i].drive, shards[i].path, shards[i].offset + 100, 1));
    };
    for (std::size_t i = 0; i < bearable; ++i) {
      hit(i);
    }
    expect_codes("chunks-damaged");
    EXPECT_EQ(report.segments_degraded, 1U);
    EXPECT_EQ(report.objects_hurt, 0U);
    hit(bearable);
    expect_codes("chunks-damaged object-damaged");
    EXPECT_EQ(report.segments_lost, 1U);
    EXPECT_NE(message("object-damaged").find("object \"bucket/"), std::string::npos);
    ASSERT_TRUE(check(true));
    EXPECT_EQ(codes(), "") << "payload was read";
    for (std::size_t i = 0; i <= bearable; ++i) {
      hit(i);  // back again
    }
  }
}

/// Keeps what it is told.
struct Extents final : ns::ExtentVisitor {
  Task<> visit(ns::ExtentUser user) override {
    all.push_back(user);
    co_return ok();
  }
  std::vector<ns::ExtentUser> all;
};

// What overlaps is read apart: it says nothing about its neighbours.
TEST_F(FsckTest, PiecesThatOverlapAreReadApart) {
  constexpr InodeId kStranger = 999;
  Extents extents;
  in_engine([&](SimEngine& engine) {
    ASSERT_TRUE(engine.put("long", pattern(6, 1'500'000)));
    ASSERT_TRUE(engine.run(ns::check_tree(engine.engine().meta(), {.visitor = &extents})));
  });
  // A record, one stripe, two of them.
  for (const std::uint64_t length : {20'000U, 700'000U, 1'500'000U}) {
    const auto at = std::ranges::find(extents.all, length,
                                      [](const ns::ExtentUser& u) { return u.extent.length; });
    ASSERT_NE(at, extents.all.end());
    Extent inside = at->extent;
    inside.offset += 4096;
    inside.length = 100;
    report = {};
    auto drives = drives::DriveSet::open(world.clone(1).open_disks()).value();
    ReplayProof proof(*drives);
    BlockingPool pool(0);
    const auto done = run_sync([&]() -> Task<> {
      CO_TRY(const auto meta, co_await meta::OfflineMeta::open({}, *drives, proof, pool));
      meta::MetaStore& store = meta->store(0);
      CO_TRY(Segments segments, co_await check_segment_files(store, *drives, report));
      PayloadCheck payload(store, *drives, segments, {}, report);
      CO_TRYV(co_await payload.visit(*at));
      CO_TRYV(co_await payload.visit({inside, kStranger}));
      co_return co_await payload.finish();
    }());
    ASSERT_TRUE(done) << done.error().describe();
    EXPECT_EQ(codes(), "chunks-damaged object-damaged");
    EXPECT_EQ(report.objects_hurt, 1U);
    EXPECT_TRUE(message("object-damaged").starts_with("inode 999, ")) << message("object-damaged");
    EXPECT_NE(message("chunks-damaged").find(": does not verify in 1 chunk of "), std::string::npos)
        << message("chunks-damaged");
    EXPECT_TRUE(message("chunks-damaged").ends_with("at offset " + std::to_string(inside.offset)))
        << message("chunks-damaged");
  }
}

TEST_F(FsckTest, SectorsThatCannotBeReadDoNotHideTheirNeighbours) {
  const Place shard = places(false).front();
  ASSERT_TRUE(world.make_unreadable(shard.drive, shard.path, shard.offset, 4096));
  expect_codes("chunks-damaged");
  EXPECT_NE(message("chunks-damaged").find("1 chunk of "), std::string::npos)
      << message("chunks-damaged");
}

TEST_F(FsckTest, ShardFilesAreComparedWithTheCatalogue) {
  const std::vector<Place> shards = places(false);
  ASSERT_TRUE(world.open_disk(shards[0].drive).value()->remove(shards[0].path));
  ASSERT_TRUE(world.open_disk(shards[1].drive)
                  .value()
                  ->open(shards[1].path, io::Access::read_write, io::Cache::buffered)
                  .value()
                  ->truncate(4096));
  ASSERT_TRUE(world.open_disk(0).value()->open("segments/00000000000000ff-00", io::Access::create,
                                               io::Cache::buffered));
  expect_codes("chunks-damaged shard-missing shard-size");
  EXPECT_NE(message("files-of-no-segment").find("1 file in"), std::string::npos);
}

TEST_F(FsckTest, WithoutReadingPayloadTheSizesAndTheCatalogueSpeak) {
  const Place shard = places(false)[1];
  ASSERT_TRUE(world.open_disk(shard.drive)
                  .value()
                  ->open(shard.path, io::Access::read_write, io::Cache::buffered)
                  .value()
                  ->truncate(4096));
  ASSERT_TRUE(check(true));
  EXPECT_EQ(codes(), "shard-size");
  EXPECT_EQ(report.segments_degraded, 1U);
  ASSERT_EQ(report.not_whole.size(), 1U);
  EXPECT_EQ(report.not_whole[0].good, kDrives - 1);
}

TEST_F(FsckTest, WhatTheCatalogueKnowsToBeBehindIsSaid) {
  const Place shard = places(false)[1];
  meta::Batch batch;
  for (const auto& [key, value] : records(meta::Table::segment)) {
    auto record = segment::decode_segment(value).value();
    if (shard.path == segment::shard_path(record.id, 1)) {
      record.holes = 1U << 1;
      batch.put(key, segment::encode(record));
    }
  }
  change_mirrors(std::move(batch));
  ASSERT_TRUE(check(true));
  EXPECT_EQ(codes(), "shard-behind");
  EXPECT_NE(message("shard-behind").find("1 shard "), std::string::npos) << message("shard-behind");
  EXPECT_EQ(report.segments_degraded, 1U);
  expect_codes("");  // it is all there
  ASSERT_TRUE(world.open_disk(shard.drive).value()->remove(shard.path));
  expect_codes("shard-missing");
  EXPECT_EQ(report.segments_degraded, 1U);
  ASSERT_TRUE(check(true));
  EXPECT_EQ(codes(), "shard-missing");
}

TEST_F(FsckTest, AMissingDriveIsSaidAndWhatItHeldIsDegraded) {
  world.remove_drive(3);
  expect_codes("drive-missing segments-degraded");
  EXPECT_EQ(report.drives[3].state, DriveState::missing);
  world.remove_drive(2);
  world.remove_drive(1);
  const auto refused = check();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::config);
  EXPECT_EQ(report.drives.size(), kDrives);
}

TEST_F(FsckTest, ADriveThatIsThereAndDoesNotOpenSaysWhy) {
  world.remove_drive(3);
  why_not_open = "Not a directory";
  expect_codes("drive-missing drive-unusable segments-degraded");
  EXPECT_EQ(message("drive-unusable"), "drive \"drive3\" does not open: Not a directory");
  const auto seen = std::ranges::find(report.drives, "drive3", &DriveView::path);
  ASSERT_NE(seen, report.drives.end());
  EXPECT_EQ(seen->state, DriveState::unusable);
}

TEST_F(FsckTest, SuperblocksAreReadInBothCopies) {
  ASSERT_TRUE(world.corrupt(2, "superblock", 4096 + 20, 1));
  expect_codes("superblock-copy");
  ASSERT_TRUE(world.corrupt(2, "superblock", 20, 1));
  expect_codes("drive-missing drive-unusable segments-degraded");
}

// Both copies are written when a drive joins: none is ever empty.
TEST_F(FsckTest, ACopyThatIsZerosOrCutOffIsNoCopy) {
  for (const bool cut : {false, true}) {
    for (const std::string file : {"superblock", "epoch"}) {
      const auto disk = world.open_disk(2).value();
      const auto copies = disk->open(file, io::Access::read_write, io::Cache::buffered).value();
      const Buffer old = Buffer::make(4096);
      ASSERT_EQ(copies->read_sync(4096, old.writable()).value(), 4096U);
      if (cut) {
        ASSERT_TRUE(copies->truncate(4096));
      } else {
        ASSERT_TRUE(copies->write_sync(4096, std::vector<std::byte>(4096)));
      }
      expect_codes(file == "superblock" ? "superblock-copy" : "");
      EXPECT_EQ(report.findings.notes(), file == "superblock" ? 0U : 1U);
      EXPECT_EQ(message("epoch-copy").empty(), file == "superblock");
      ASSERT_TRUE(copies->write_sync(4096, old.view()));
    }
  }
}

TEST_F(FsckTest, ItIsRefusedWhileADriveIsInUseAndEndsWhenItIsTold) {
  {
    const auto server = world.open_disk(1).value();
    ASSERT_TRUE(server->lock());
    EXPECT_EQ(check().error().code(), Errc::already_exists);
  }
  for (const std::string_view phase : {"drives", "journal", "payload"}) {
    stop_at = phase;
    EXPECT_EQ(check().error().code(), Errc::cancelled) << phase;
  }
}

}  // namespace
}  // namespace outcrop::check
