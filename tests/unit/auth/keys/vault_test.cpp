// The keys of the server: names, states, what survives a restart, and what opens what.
#include "auth/keys/vault.h"

#include <gtest/gtest.h>

#include "auth/identity/identity_store.h"
#include "storage/base/async.h"
#include "tests/support/mem_meta_store.h"

namespace outcrop::keys {
namespace {

const identity::SealKey kSealKey{7};
const std::string kArn = "arn:aws:kms:eu-central-1:000000000000:";

class VaultTest : public ::testing::Test {
 protected:
  VaultTest() { open(); }

  void open(const identity::SealKey& seal_key = kSealKey) {
    vault = run_sync(Vault::open({.meta = meta,
                                  .clock = clock,
                                  .random = random,
                                  .note_seal_key = [this]() -> Task<> {
                                    ++noted;
                                    co_return ok();
                                  }},
                                 seal_key, "eu-central-1"))
                .value();
  }
  Errc create_error(const std::string& id) {
    const auto made = run_sync(vault->create(id));
    return made ? Errc::internal : made.error().code();
  }
  bool create(const std::string& id) { return run_sync(vault->create(id)).has_value(); }
  bool enable(const std::string& id, bool on) {
    return run_sync(vault->set_enabled(id, on)).has_value();
  }
  /// An envelope under a KMS key, and what is in it.
  std::string seal(const std::string& id) {
    const KmsKeyPtr key = vault->find(id).value();
    return vault->make_envelope({.mode = Mode::kms, .key_id = id}, &key->secret, data_key);
  }
  Opened<ns::DataKey> unseal(const std::string& text, const identity::SealKey* client = nullptr) {
    return vault->open(decode_envelope(text).value(), client);
  }

  test::MemMetaStore meta;
  SystemClock clock;
  SeededRandom random{3};
  const ns::DataKey data_key = ns::DataKey::make(random);
  int noted = 0;
  std::unique_ptr<Vault> vault;
};

TEST_F(VaultTest, KeysHaveNamesOrUuids) {
  EXPECT_TRUE(create("testkey-1"));
  const KmsKeyPtr made = run_sync(vault->create("")).value();
  EXPECT_EQ(made->id.size(), 36U);
  EXPECT_EQ(made->id[14], '4');
  EXPECT_EQ(create_error("testkey-1"), Errc::conflict);
  EXPECT_EQ(create_error("alias/aws/s3"), Errc::invalid_argument);
  EXPECT_EQ(create_error(std::string(kMaxKeyId + 1, 'k')), Errc::invalid_argument);
  EXPECT_EQ(vault->keys()->size(), 2U);
}

TEST_F(VaultTest, AreFoundByIdArnAndAlias) {
  ASSERT_TRUE(create("a/b"));
  EXPECT_EQ(vault->find("a/b").value()->id, "a/b");
  EXPECT_EQ(vault->find(kArn + "key/a/b").value()->id, "a/b");
  EXPECT_EQ(vault->arn_of("a/b"), kArn + "key/a/b");
  for (const std::string& other :
       {std::string("c"), std::string(), std::string("alias/aws/s3"), kArn + "a/b", kArn + "key/",
        kArn + "alias/aws/s3", std::string("arn:aws:kms:us-east-1:000000000000:key/a/b"),
        std::string("arn:aws:kms:eu-central-1:000000000001:key/a/b")}) {
    EXPECT_EQ(vault->find(other).error(), Refusal::unknown_key) << other;
  }
  const KmsKeyPtr made = run_sync(vault->default_key()).value();
  EXPECT_EQ(run_sync(vault->default_key()).value()->id, made->id) << "there is one";
  EXPECT_EQ(vault->find("alias/aws/s3").value()->id, made->id);
  EXPECT_EQ(vault->find(kArn + "alias/aws/s3").value()->id, made->id);
}

TEST_F(VaultTest, SurviveARestart) {
  ASSERT_TRUE(create("one"));
  ASSERT_TRUE(create("two"));
  const std::string id = run_sync(vault->default_key()).value()->id;
  const std::string sealed = seal("one");
  const std::string managed = vault->make_envelope({.mode = Mode::managed}, nullptr, data_key);
  ASSERT_TRUE(enable("two", false));
  open();
  EXPECT_EQ(unseal(sealed).value(), data_key);
  EXPECT_EQ(unseal(managed).value(), data_key);
  EXPECT_EQ(vault->find("two").error(), Refusal::disabled_key);
  EXPECT_EQ(vault->find("alias/aws/s3").value()->id, id);
}

TEST_F(VaultTest, WhatIsDisabledOpensNothing) {
  ASSERT_TRUE(create("one"));
  const std::string sealed = seal("one");
  ASSERT_TRUE(enable("one", false));
  EXPECT_EQ(unseal(sealed).error(), Refusal::disabled_key);
  EXPECT_EQ(vault->open(sealed).error().code(), Errc::access_denied);
  ASSERT_TRUE(enable("one", true));
  EXPECT_EQ(vault->open(sealed).value(), data_key);
}

TEST_F(VaultTest, OnlyDisabledKeysGoAndTheirNamesAreOthersThen) {
  ASSERT_TRUE(create("one"));
  const std::string sealed = seal("one");
  EXPECT_EQ(run_sync(vault->remove("one")).error().code(), Errc::conflict);
  EXPECT_EQ(run_sync(vault->remove("none")).error().code(), Errc::not_found);
  EXPECT_EQ(run_sync(vault->set_enabled("none", true)).error().code(), Errc::not_found);
  ASSERT_TRUE(enable("one", false));
  ASSERT_TRUE(run_sync(vault->remove("one")));
  EXPECT_EQ(unseal(sealed).error(), Refusal::unknown_key);
  ASSERT_TRUE(create("one"));
  EXPECT_EQ(unseal(sealed).error(), Refusal::damaged) << "the name has another secret";
  open();
  EXPECT_EQ(vault->keys()->size(), 1U);
}

TEST_F(VaultTest, ClientsKeysAreTheClients) {
  const identity::SealKey client{1}, other{2};
  const std::string sealed = vault->make_envelope(
      {.mode = Mode::customer, .key_md5 = std::string(kKeyMd5Bytes, 'm')}, &client, data_key);
  EXPECT_EQ(unseal(sealed, &client).value(), data_key);
  EXPECT_EQ(unseal(sealed, &other).error(), Refusal::wrong_key);
  EXPECT_EQ(unseal(sealed).error(), Refusal::no_client_key);
  EXPECT_EQ(vault->open(sealed).error().code(), Errc::access_denied);
}

TEST_F(VaultTest, AnotherSealKeyOpensNothing) {
  ASSERT_TRUE(create("one"));
  const std::string sealed = seal("one");
  const std::string managed = vault->make_envelope({.mode = Mode::managed}, nullptr, data_key);
  open(identity::SealKey{8});
  EXPECT_EQ(vault->find("one").error(), Refusal::damaged);
  EXPECT_EQ(unseal(sealed).error(), Refusal::damaged);
  EXPECT_EQ(unseal(managed).error(), Refusal::damaged);
  EXPECT_EQ(vault->open(managed).error().code(), Errc::corrupt);
  EXPECT_EQ(create_error("one"), Errc::conflict) << "the old secret is not written over";
  EXPECT_FALSE(enable("one", true));
  open();
  EXPECT_EQ(unseal(sealed).value(), data_key);
}

TEST_F(VaultTest, AChangeThatIsNotStoredDidNotHappen) {
  meta.fail_next_commit(Errc::read_only);
  EXPECT_EQ(create_error("one"), Errc::read_only);
  EXPECT_EQ(vault->find("one").error(), Refusal::unknown_key);
  ASSERT_TRUE(create("one"));
  meta.fail_next_commit(Errc::read_only);
  EXPECT_FALSE(enable("one", false));
  EXPECT_TRUE(vault->find("one"));
}

TEST_F(VaultTest, ThereIsALimit) {
  for (std::size_t i = 0; i < kMaxKmsKeys; ++i) {
    ASSERT_TRUE(create("key-" + std::to_string(i)));
  }
  EXPECT_EQ(create_error("one-more"), Errc::conflict);
  open();
  EXPECT_EQ(vault->keys()->size(), kMaxKmsKeys);
}

TEST_F(VaultTest, RecordsRevealNoSecret) {
  ASSERT_TRUE(create("one"));
  const KmsKeyPtr key = vault->find("one").value();
  const std::string_view secret(reinterpret_cast<const char*>(key->secret.data()),
                                key->secret.size());
  for (const auto& [name, value] : meta.dump()) {
    EXPECT_EQ(value.find(secret), value.npos);
  }
  EXPECT_EQ(noted, 1) << "a secret was sealed";
}

/// Beside identities in one table: neither takes the other's records for its own.
TEST_F(VaultTest, SharesItsTable) {
  ASSERT_TRUE(create("one"));
  auto identities = run_sync(
      identity::IdentityStore::open({meta, clock, random}, kSealKey, {"ROOT", "rootsecret", true}));
  ASSERT_TRUE(identities);
  open();
  EXPECT_EQ(vault->keys()->size(), 1U);
}

/// A store that takes no writes at its start has no record of its seal key until it does: one must
/// be there before anything is sealed, or a lost key file would not be missed.
TEST_F(VaultTest, TheSealKeyIsOnRecordFirst) {
  meta.fail_next_commit(Errc::read_only);
  auto identities = run_sync(identity::IdentityStore::open({meta, clock, random}, kSealKey,
                                                           {"ROOT", "rootsecret", true}))
                        .value();
  EXPECT_FALSE(run_sync(identity::IdentityStore::is_set_up(meta)).value());
  ASSERT_TRUE(run_sync(identities->note_seal_key()));
  EXPECT_TRUE(run_sync(identity::IdentityStore::is_set_up(meta)).value());
  const std::uint64_t commits = meta.commits();
  ASSERT_TRUE(run_sync(identities->note_seal_key()));
  EXPECT_EQ(meta.commits(), commits);
}

}  // namespace
}  // namespace outcrop::keys
