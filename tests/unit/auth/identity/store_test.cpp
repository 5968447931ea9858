// The store of identities: changes, limits, conflicts, what survives a restart, and who may do what
// afterwards.
#include "tests/unit/auth/identity/identity_fixture.h"

namespace outcrop::identity::test {
namespace {

TEST_F(Identities, Accounts) {
  const auto made = run(store->create_account("lab", "lab@example.com"));
  ASSERT_TRUE(made);
  const Account& lab = *made->account;
  EXPECT_EQ(lab.id.size(), kAccountIdChars);
  EXPECT_NE(lab.id.front(), '0');
  EXPECT_EQ(lab.canonical_id.size(), kCanonicalIdChars);
  EXPECT_EQ(failure(store->create_account("Lab", "")), IamCode::entity_already_exists);
  EXPECT_EQ(failure(store->create_account("b", "LAB@example.com")), IamCode::entity_already_exists);
  EXPECT_EQ(failure(store->create_account("", "")), IamCode::validation);
  EXPECT_EQ(failure(store->create_account("a b", "")), IamCode::validation);
  for (const char* email : {"x", "@x", "x@", "a b@x"}) {
    EXPECT_EQ(failure(store->create_account("c", email)), IamCode::validation) << email;
  }
  ASSERT_TRUE(works(store->create_account("shop", "")));
  ASSERT_TRUE(works(store->create_account("mill", "")));  // to have no address is not to share one
  open();
  const auto root = store->find(made->key->id);
  ASSERT_TRUE(root && root->identity);
  EXPECT_FALSE(root->root);  // of the server it is not
  EXPECT_EQ(root->secret_key, made->key->secret);
  EXPECT_EQ(root->identity->kind, policy::Subject::Kind::root);
  EXPECT_EQ(root->identity->arn, "arn:aws:iam::" + lab.id + ":root");
  EXPECT_EQ(root->identity->subject("first").canonical_id, lab.canonical_id);
  EXPECT_EQ(store->find_canonical(lab.canonical_id)->name, "lab");
  EXPECT_EQ(store->find_email("Lab@Example.com")->id, lab.id);
  EXPECT_FALSE(store->find_email(""));
  EXPECT_FALSE(store->find_canonical("x"));
  // Its key is nobody's in the first account, and ends with it.
  EXPECT_TRUE(store->state()->keys_of("").empty());
  EXPECT_EQ(failure(store->remove_key("", made->key->id)), IamCode::no_such_entity);
  // Keys are exchanged: a second one, and the first one goes.
  const auto second = run(store->create_account_key(lab.id));
  ASSERT_TRUE(second);
  EXPECT_EQ(failure(store->create_account_key(lab.id)), IamCode::limit_exceeded);
  EXPECT_EQ(failure(store->create_account_key("123")), IamCode::no_such_entity);
  EXPECT_EQ(failure(store->create_account_key("")), IamCode::no_such_entity);
  EXPECT_EQ(failure(store->remove_account_key("", made->key->id)), IamCode::no_such_entity);
  EXPECT_EQ(failure(store->remove_account_key("123", made->key->id)), IamCode::no_such_entity);
  ASSERT_TRUE(works(store->remove_account_key(lab.id, made->key->id)));
  EXPECT_FALSE(store->find(made->key->id));
  open();
  EXPECT_FALSE(store->find(made->key->id));
  EXPECT_EQ(store->find((*second)->id)->identity->arn, "arn:aws:iam::" + lab.id + ":root");
  EXPECT_EQ(failure(store->remove_account("123")), IamCode::no_such_entity);
  ASSERT_TRUE(works(store->remove_account(lab.id)));
  EXPECT_FALSE(store->find((*second)->id));
  open();
  EXPECT_FALSE(store->find((*second)->id));
  EXPECT_EQ(store->state()->accounts.size(), 2u);
}

TEST_F(Identities, AUserWithAKeyActsAsItself) {
  ASSERT_TRUE(works(user("alice")));
  const auto made = run(key("alice"));
  ASSERT_TRUE(made);
  EXPECT_EQ((*made)->id.size(), 20U);
  EXPECT_EQ((*made)->secret.size(), 40U);
  const auto credential = store->find((*made)->id);
  ASSERT_TRUE(credential);
  EXPECT_EQ(credential->secret_key, (*made)->secret);
  EXPECT_FALSE(credential->root);
  EXPECT_EQ(credential->identity->arn, "arn:aws:iam::000000000000:user/alice");
  EXPECT_EQ(credential->identity->user_name, "alice");
  EXPECT_TRUE(credential->identity->compiled.empty());
}

TEST_F(Identities, TheRootCredentialIsAlwaysThere) {
  const auto root = store->find("ROOT");
  ASSERT_TRUE(root);
  EXPECT_TRUE(root->root);
  EXPECT_EQ(root->identity->kind, policy::Subject::Kind::root);
  EXPECT_FALSE(store->find("nobody"));
  EXPECT_FALSE(store->find(""));
}

TEST_F(Identities, EverythingSurvivesARestart) {
  ASSERT_TRUE(works(user("alice")) && works(group("staff")));
  ASSERT_TRUE(works(store->add_to_group("alice", "staff")));
  ASSERT_TRUE(works(store->put_inline(EntityKind::group, "staff", "own", kAllowAll)));
  const auto managed = run(store->create_policy("m", "/p/", "text", kAllowAll));
  ASSERT_TRUE(managed);
  ASSERT_TRUE(works(store->attach(EntityKind::user, "alice", (*managed)->arn())));
  ASSERT_TRUE(works(store->put_inline(EntityKind::user, "alice", "mine", kAllowAll)));
  const auto made = run(key("alice"));
  ASSERT_TRUE(made);
  const std::string id = (*made)->id, secret = (*made)->secret;
  for (const auto& [name, value] : meta.dump()) {
    EXPECT_EQ(value.find(secret), std::string::npos) << name;
  }
  open();
  const auto credential = store->find(id);
  ASSERT_TRUE(credential);
  EXPECT_EQ(credential->secret_key, secret);
  EXPECT_EQ(credential->identity->compiled.size(), 3U);
  EXPECT_FALSE(credential->identity->unreadable);
}

TEST_F(Identities, TheWrongSealKeyIsRefused) {
  ASSERT_TRUE(works(user("alice")));
  EXPECT_TRUE(run_sync(IdentityStore::is_set_up(meta)).value());
  const auto other = run_sync(IdentityStore::open({meta, clock, random}, SealKey{8}, {}));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), Errc::config);
  outcrop::test::MemMetaStore fresh;
  EXPECT_FALSE(run_sync(IdentityStore::is_set_up(fresh)).value());
}

TEST_F(Identities, KeysAreSwitchedOffAndRemovedAtOnce) {
  ASSERT_TRUE(works(user("alice")) && works(user("bob")));
  const std::string id = (*run(key("alice")))->id;
  ASSERT_TRUE(works(store->set_key_active("alice", id, false)));
  EXPECT_FALSE(store->find(id));
  EXPECT_EQ(failure(store->set_key_active("bob", id, true)), IamCode::no_such_entity);
  ASSERT_TRUE(works(store->set_key_active("alice", id, true)));
  EXPECT_TRUE(store->find(id));
  EXPECT_EQ(failure(store->remove_key("bob", id)), IamCode::no_such_entity);
  ASSERT_TRUE(works(store->remove_key("alice", id)));
  EXPECT_FALSE(store->find(id));
  open();
  EXPECT_FALSE(store->find(id));
}

TEST_F(Identities, KeysAreOfUsers) {
  EXPECT_EQ(failure(key("nobody")), IamCode::no_such_entity);
  EXPECT_EQ(failure(key("")), IamCode::no_such_entity);  // the root user has the one credential
  EXPECT_TRUE(store->state()->keys.empty());
}

TEST_F(Identities, EntitiesInUseAreNotDeleted) {
  ASSERT_TRUE(works(user("alice")) && works(group("staff")));
  const auto removal = [&] { return store->remove(EntityKind::user, "alice"); };
  const std::string id = (*run(key("alice")))->id;
  EXPECT_EQ(failure(removal()), IamCode::delete_conflict);
  ASSERT_TRUE(works(store->remove_key("alice", id)));
  ASSERT_TRUE(works(store->add_to_group("alice", "staff")));
  EXPECT_EQ(failure(removal()), IamCode::delete_conflict);
  EXPECT_EQ(failure(store->remove(EntityKind::group, "staff")), IamCode::delete_conflict);
  ASSERT_TRUE(works(store->remove_from_group("alice", "staff")));
  const std::string arn = (*run(store->create_policy("m", "/", "", kAllowAll)))->arn();
  ASSERT_TRUE(works(store->attach(EntityKind::user, "alice", arn)));
  EXPECT_EQ(failure(removal()), IamCode::delete_conflict);
  EXPECT_EQ(failure(store->remove_policy(arn)), IamCode::delete_conflict);
  ASSERT_TRUE(works(store->detach(EntityKind::user, "alice", arn)));
  ASSERT_TRUE(works(store->put_inline(EntityKind::user, "alice", "p", kAllowAll)));
  EXPECT_EQ(failure(removal()), IamCode::delete_conflict);
  ASSERT_TRUE(works(store->remove_inline(EntityKind::user, "alice", "p")));
  EXPECT_TRUE(works(removal()) && works(store->remove_policy(arn)));
  EXPECT_TRUE(works(store->remove(EntityKind::group, "staff")));
  EXPECT_EQ(meta.dump().size(), 1U);  // the check of the seal key
}

TEST_F(Identities, Names) {
  EXPECT_TRUE(works(user(std::string(kMaxUserName, 'u'))));
  EXPECT_TRUE(works(user("a+=,.@_-Z9")));
  for (const std::string& bad :
       {std::string(), std::string(kMaxUserName + 1, 'u'), std::string("a b"), std::string("a/b"),
        std::string("a*"), std::string("\xc3\xa9")}) {
    EXPECT_EQ(failure(user(bad)), IamCode::validation) << bad;
  }
  EXPECT_TRUE(works(user("Alice")));
  EXPECT_EQ(failure(user("aLICE")), IamCode::entity_already_exists);
  EXPECT_EQ(store->state()->find(EntityKind::user, "aLICE")->name, "Alice");
  for (const char* path : {"", "x", "/x", "x/", "/ /"}) {
    EXPECT_EQ(
        failure(store->create(
            {.kind = EntityKind::user, .name = "p", .path = path, .description = {}, .trust = {}})),
        IamCode::validation)
        << path;
  }
}

TEST_F(Identities, Limits) {
  ASSERT_TRUE(works(user("alice")));
  for (std::size_t i = 0; i < kMaxKeysPerUser; ++i) {
    ASSERT_TRUE(works(key("alice")));
  }
  EXPECT_EQ(failure(key("alice")), IamCode::limit_exceeded);
  for (std::size_t i = 0; i <= kMaxGroupsPerUser; ++i) {
    const std::string name = "g" + std::to_string(i);
    ASSERT_TRUE(works(group(name)));
    const auto added = run(store->add_to_group("alice", name));
    EXPECT_EQ(added.has_value(), i < kMaxGroupsPerUser);
  }
  for (std::size_t i = 0; i <= kMaxAttached; ++i) {
    const auto made = run(store->create_policy("p" + std::to_string(i), "/", "", kAllowAll));
    ASSERT_TRUE(made);
    EXPECT_EQ(run(store->attach(EntityKind::user, "alice", (*made)->arn())).has_value(),
              i < kMaxAttached);
  }
  const std::string start = R"({"Id":")",
                    end = R"(","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}})";
  const auto sized = [&](std::size_t size) {
    return start + std::string(size - start.size() - end.size(), 'x') + end;
  };
  EXPECT_TRUE(works(store->put_inline(EntityKind::user, "alice", "p", sized(kMaxInlineUserBytes))));
  EXPECT_EQ(
      failure(store->put_inline(EntityKind::user, "alice", "p", sized(kMaxInlineUserBytes + 1))),
      IamCode::limit_exceeded);
  EXPECT_TRUE(works(store->create_policy("big", "/", "", sized(kMaxManagedBytes))));
  EXPECT_EQ(failure(store->create_policy("bigger", "/", "", sized(kMaxManagedBytes + 1))),
            IamCode::limit_exceeded);
}

// What a thread remembers of a session does not keep all identities of that time alive.
TEST_F(Identities, RememberedSessionsDoNotHoldTheState) {
  ASSERT_TRUE(works(user("alice")));
  const std::string id = (*run(key("alice")))->id;
  const auto session = store->issue(*who(id), id, nullptr, {}, 900).value();
  const std::weak_ptr<const State> old = store->state();
  ASSERT_TRUE(store->find_session(session.access_key, session.token));
  ASSERT_TRUE(store->find_session(session.access_key, session.token));
  EXPECT_FALSE(old.expired());
  ASSERT_TRUE(works(user("bob")) && works(user("carol")));
  EXPECT_TRUE(store->state());
  EXPECT_TRUE(old.expired());
  EXPECT_TRUE(store->find_session(session.access_key, session.token));
  ASSERT_TRUE(works(store->set_key_active("alice", id, false)));
  EXPECT_FALSE(store->find_session(session.access_key, session.token));
}

TEST_F(Identities, Roles) {
  const auto create = [&](const std::string& trust) {
    return store->create(
        {.kind = EntityKind::role, .name = "r", .path = "/", .description = "d", .trust = trust});
  };
  EXPECT_EQ(failure(create("{}")), IamCode::malformed_policy);
  EXPECT_TRUE(works(create(kTrust)));
  EXPECT_EQ(failure(store->set_trust("r", kAllowAll)), IamCode::malformed_policy);
  EXPECT_TRUE(works(store->set_trust("r", kTrust)));
  open();
  EXPECT_TRUE(store->state()->find(EntityKind::role, "r")->trust->compiled);
}

TEST_F(Identities, AChangeThatIsNotStoredDidNotHappen) {
  unsigned changes = 0;
  store->on_change([&] { ++changes; });
  meta.fail_next_commit(Errc::read_only);
  EXPECT_EQ(failure(user("alice")), IamCode::unavailable);
  EXPECT_FALSE(store->state()->find(EntityKind::user, "alice"));
  EXPECT_EQ(changes, 0U);
  EXPECT_TRUE(works(user("alice")));
  EXPECT_EQ(changes, 1U);
}

TEST_F(Identities, AStoreThatIsReadOnlyForNowOpensAllTheSame) {
  meta::Batch batch;
  batch.erase(meta.dump().begin()->first);
  ASSERT_TRUE(run_sync(meta.commit(std::move(batch))));
  ASSERT_TRUE(meta.dump().empty());
  const auto known = [&] { return run_sync(IdentityStore::is_set_up(meta)).value(); };
  meta.fail_next_commit(Errc::read_only);
  open();
  EXPECT_FALSE(known());
  meta.fail_next_commit(Errc::read_only);
  EXPECT_EQ(failure(user("alice")), IamCode::unavailable);
  EXPECT_FALSE(known());
  ASSERT_TRUE(works(user("alice")));
  EXPECT_TRUE(known()) << "else another key would be taken at the next start";
  EXPECT_FALSE(run_sync(
      IdentityStore::open({meta, clock, random}, SealKey{8}, {"ROOT", "rootsecret", true})));
  open();
  EXPECT_TRUE(store->state()->find(EntityKind::user, "alice"));
}

TEST_F(Identities, AMissingPolicyOrGroupDeniesTheUser) {
  ASSERT_TRUE(works(user("alice")) && works(group("staff")));
  ASSERT_TRUE(works(store->add_to_group("alice", "staff")));
  const std::string id = (*run(key("alice")))->id;
  EXPECT_FALSE(who(id)->unreadable);
  meta::Batch batch;
  batch.erase("kgstaff");
  ASSERT_TRUE(run_sync(meta.commit(std::move(batch))));
  open();
  EXPECT_TRUE(who(id)->unreadable);
}

TEST_F(Identities, ConcurrentChangesAreOneAfterTheOther) {
  const auto both = [](IdentityStore& s) -> Task<> {
    const auto make = [](IdentityStore& to, std::string name) -> Async<bool> {
      co_return (co_await to.create({.kind = EntityKind::user,
                                     .name = std::move(name),
                                     .path = "/",
                                     .description = {},
                                     .trust = {}}))
          .has_value();
    };
    const Executor ex = co_await asio::this_coro::executor;
    unsigned done = 0;
    for (int i = 0; i < 20; ++i) {
      asio::co_spawn(ex, make(s, "u" + std::to_string(i / 2)),
                     [&done](std::exception_ptr, bool) { ++done; });
    }
    while (done < 20) {
      co_await asio::post(ex, use_async);
    }
    co_return ok();
  };
  ASSERT_TRUE(run_sync(both(*store)));
  EXPECT_EQ(store->state()->entities[0].size(), 10U);
  open();
  EXPECT_EQ(store->state()->entities[0].size(), 10U);
}

}  // namespace
}  // namespace outcrop::identity::test
