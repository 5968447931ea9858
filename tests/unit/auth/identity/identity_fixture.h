// A store of identities in memory, opened anew as after a restart.
#pragma once
#include <gtest/gtest.h>

#include "auth/identity/identity_store.h"
#include "auth/identity/limits.h"
#include "storage/base/async.h"
#include "tests/support/mem_meta_store.h"

namespace outcrop::identity::test {

inline const std::string kAllowAll =
    R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}})";
inline const std::string kTrust =
    R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}})";
inline const SealKey kKey{7};

/// A change as a Result, for run_sync.
template <class T>
Task<Checked<T>> as_task(Change<T> change) {
  co_return co_await std::move(change);
}

class Identities : public ::testing::Test {
 protected:
  Identities() { open(); }

  void open() {
    store.reset();
    auto opened =
        run_sync(IdentityStore::open({meta, clock, random}, kKey, {"ROOT", "rootsecret", true}));
    ASSERT_TRUE(opened) << opened.error().describe();
    store = *std::move(opened);
  }
  template <class T>
  Checked<T> run(Change<T> change) {
    return run_sync(as_task(std::move(change))).value();
  }
  template <class T>
  IamCode failure(Change<T> change) {
    const Checked<T> result = run(std::move(change));
    EXPECT_FALSE(result);
    return result ? IamCode::unavailable : result.error().code;
  }
  template <class T>
  bool works(Change<T> change) {
    const Checked<T> result = run(std::move(change));
    EXPECT_TRUE(result) << (result ? "" : result.error().message);
    return result.has_value();
  }
  Change<EntityPtr> user(const std::string& name) {
    return store->create(
        {.kind = EntityKind::user, .name = name, .path = "/", .description = {}, .trust = {}});
  }
  Change<EntityPtr> group(const std::string& name) {
    return store->create(
        {.kind = EntityKind::group, .name = name, .path = "/", .description = {}, .trust = {}});
  }
  Change<AccessKeyPtr> key(const std::string& name) { return store->create_key(name); }
  auth::IdentityPtr who(const std::string& access_key) {
    const auto credential = store->find(access_key);
    return credential ? credential->identity : nullptr;
  }

  outcrop::test::MemMetaStore meta;
  SystemClock clock;
  SeededRandom random{1};
  std::unique_ptr<IdentityStore> store;
};

}  // namespace outcrop::identity::test
