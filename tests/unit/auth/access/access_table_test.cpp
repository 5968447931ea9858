// Loading the settings of all buckets: what is left over of those that are gone, and what the log
// says.
#include "auth/access/access_table.h"

#include <gtest/gtest.h>

#include "storage/base/async.h"
#include "tests/support/mem_meta_store.h"

namespace outcrop::access {
namespace {

class AccessTables : public ::testing::Test {
 protected:
  /// As a store that is older, or another server, has written it: its actions are not looked at.
  void store(const std::string& bucket, InodeId root, const std::string& action) {
    BucketAccess access{.bucket = bucket, .root = root, .policy_text = {}};
    access.policy_text =
        R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":")" +
        action + R"(","Resource":"arn:aws:s3:::)" + bucket + R"(/*"}})";
    meta::Batch batch;
    batch.put(bucket_access_key(root), encode(access));
    ASSERT_TRUE(run_sync(meta.commit(std::move(batch))));
  }
  /// What it logs.
  std::string open() {
    ::testing::internal::CaptureStderr();
    auto opened = run_sync(AccessTable::open(meta, {{"here", 7}}, policy::kBlockAll));
    EXPECT_TRUE(opened);
    table = opened ? *std::move(opened) : nullptr;
    return ::testing::internal::GetCapturedStderr();
  }

  test::MemMetaStore meta;
  std::unique_ptr<AccessTable> table;
};

TEST_F(AccessTables, WhatAStoreThatTakesNoWritesKeepsGoesAtALaterStart) {
  store("here", 7, "s3:GetObject");
  store("gone", 8, "s3:GetObject");
  store("gone2", 9, "s3:GetObject");
  const auto before = meta.dump();
  for (const Errc code : {Errc::read_only, Errc::unavailable, Errc::io_error}) {
    meta.fail_next_commit(code);
    const std::string logged = open();
    ASSERT_TRUE(table);
    EXPECT_NE(logged.find("stay until another start records=2"), logged.npos) << logged;
    EXPECT_EQ(logged.find("are erased"), logged.npos) << logged;
    EXPECT_TRUE(table->find("here"));
    EXPECT_FALSE(table->find("gone"));
    EXPECT_EQ(meta.dump(), before) << "one refusal is enough";
  }
  const std::string logged = open();
  EXPECT_NE(logged.find("are erased bucket=gone "), logged.npos) << logged;
  EXPECT_NE(logged.find("are erased bucket=gone2 "), logged.npos) << logged;
  ASSERT_EQ(meta.dump().size(), 1U);
  EXPECT_EQ(meta.dump().begin()->first, bucket_access_key(7));
}

TEST_F(AccessTables, OnlyPoliciesThatAreInForceAreWorthAttention) {
  store("here", 7, "s3:GetObjekt");
  store("gone", 8, "s3:PutObjekt");
  const std::string logged = open();
  EXPECT_NE(logged.find("s3:GetObjekt"), logged.npos) << logged;
  EXPECT_NE(logged.find("of=here"), logged.npos) << logged;
  EXPECT_EQ(logged.find("s3:PutObjekt"), logged.npos) << logged;
}

}  // namespace
}  // namespace outcrop::access
