// What changes between a decision about accounts and what is done, and records that are damaged.
#include "tests/unit/api/s3/account_fixture.h"

namespace outcrop::s3::test {
namespace {

class AccountRaces : public Accounts {};

// Between the decision and the change another object takes the place: its owner stays its owner.
TEST_F(AccountRaces, AnAclIsOfTheObjectThatWasDecidedOn) {
  ASSERT_EQ(status("PUT", "/open", "lab", {{"x-amz-acl", "public-read-write"}}), 200);
  const std::string shops = access::encode(access::private_acl(std::string(64, 'b')));
  const auto give = [&](const std::string& acl) {
    EXPECT_TRUE(run_sync(ns.set_acl("open", "k", {}, acl, {}, {})));
  };
  for (const int look : {1, 2}) {
    ASSERT_EQ(status("PUT", "/open/k", "lab", {}, "v"), 200);
    int looks = 0;
    ns.after_look = [&] {
      if (++looks == look) {
        give(shops);
      }
    };
    EXPECT_EQ(status("PUT", "/open/k?acl", "lab", {{"x-amz-acl", "public-read"}}), 403) << look;
    ns.after_look = {};
    EXPECT_GE(looks, look);
    EXPECT_EQ(grants("/open/k?acl", "shop"), (Names{"b", "b:FULL_CONTROL"}));
  }
  // Its own lists change all the time: it gives up.
  ASSERT_EQ(status("PUT", "/open/k", "lab", {}, "v"), 200);
  std::size_t n = 0;
  ns.after_look = [&] {
    const access::AclGrant one{{.id = std::string(64, 'a')}, access::Permission::read};
    give(access::encode({std::string(64, 'a'), std::vector<access::AclGrant>(++n, one)}));
  };
  EXPECT_EQ(code(send("PUT", "/open/k?acl", as("lab", {{"x-amz-acl", "public-read"}}))),
            "OperationAborted");
  ns.after_look = {};
  EXPECT_GT(n, 2U);
}

TEST_F(AccountRaces, ARemovedAccountMakesNoBuckets) {
  accounts.all.erase(accounts.all.begin());  // while a request of its is under way
  EXPECT_EQ(status("PUT", "/lab1", "lab"), 403);
  EXPECT_FALSE(run_sync(ns.get_bucket("lab1")));
  EXPECT_EQ(status("PUT", "/shop1", "shop"), 200);
}

TEST_F(AccountRaces, TheExpectedOwnerOfASourceIsItsOwn) {
  ASSERT_EQ(status("PUT", "/lab1", "lab"), 200);
  ASSERT_EQ(status("PUT", "/shop1", "shop"), 200);
  ASSERT_EQ(status("PUT", "/shop1/k", "shop", {{"x-amz-acl", "public-read"}}, "v"), 200);
  const auto copy = [&](const std::string& target, const std::string& source) {
    return status("PUT", "/lab1/k", "lab",
                  {{"x-amz-copy-source", "/shop1/k"},
                   {"x-amz-expected-bucket-owner", target},
                   {"x-amz-source-expected-bucket-owner", source}});
  };
  EXPECT_EQ(copy("111111111111", "222222222222"), 200);
  EXPECT_EQ(copy(std::string(64, 'a'), std::string(64, 'b')), 200);
  EXPECT_EQ(copy("111111111111", "111111111111"), 403);
  EXPECT_EQ(copy("222222222222", "222222222222"), 403);
}

// A record that is damaged gives its bucket to nobody, above all not to another account.
TEST_F(AccountRaces, ADamagedRecordGivesTheBucketToNobody) {
  add_user("alice", {R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*",
                        "Resource":"*"}})"});
  ASSERT_EQ(status("PUT", "/lab1", "lab"), 200);
  ASSERT_EQ(status("PUT", "/lab1/k", "lab", {}, "v"), 200);
  const access::BucketRoots roots{{"lab1", run_sync(ns.get_bucket("lab1"))->root}};
  meta::Batch batch;
  batch.put(meta.dump().begin()->first, meta.dump().begin()->second.substr(0, 9));
  ASSERT_TRUE(run_sync(meta.commit(std::move(batch))));
  const auto reopen = [&] {
    access = run_sync(access::AccessTable::open(meta, roots, policy::PublicAccessBlock{})).value();
    config.access = access.get();
    handler = new_handler();
  };
  reopen();
  const auto everybody = [&](int lab, int shop, int alice, int server) {
    EXPECT_EQ(status("GET", "/lab1/k", "lab"), lab);
    EXPECT_EQ(status("GET", "/lab1/k", "shop"), shop);
    EXPECT_EQ(status("GET", "/lab1/k", "alice"), alice);
    EXPECT_EQ(send("GET", "/lab1/k").status, server);
  };
  everybody(403, 403, 403, 403);
  EXPECT_EQ(status("DELETE", "/lab1?policy", "lab"), 403);
  EXPECT_EQ(status("DELETE", "/lab1?policy", "alice"), 403);
  EXPECT_EQ(send("DELETE", "/lab1?policy").status, 204);
  everybody(403, 403, 403, 200);
  reopen();
  everybody(403, 403, 403, 200);
  const auto name = [](const std::string& id) {
    return "<AccessControlPolicy><Owner><ID>" + id +
           "</ID></Owner><AccessControlList><Grant><Grantee><ID>" + id +
           "</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>"
           "</AccessControlPolicy>";
  };
  const std::string lab(64, 'a'), shop(64, 'b');
  EXPECT_EQ(status("PUT", "/lab1?acl", "lab", {}, name(lab)), 403);
  EXPECT_EQ(code(send("PUT", "/lab1?acl", {}, {name(std::string(64, 'c'))})), "InvalidArgument");
  EXPECT_EQ(code(send("PUT", "/lab1?acl", {}, {"<AccessControlPolicy/>"})), "MalformedACLError");
  EXPECT_EQ(send("PUT", "/lab1?acl", {}, {name(lab)}).status, 200);
  everybody(200, 403, 403, 200);
  EXPECT_EQ(code(send("PUT", "/lab1?acl", {}, {name(shop)})), "AccessDenied");  // it has an owner
  reopen();
  everybody(200, 403, 403, 200);
}

TEST_F(AccountRaces, ADirectoryIsMovedOnlyByWhoMayReadAllOfIt) {
  const auto move = [&](const std::string& bucket) {
    return status("PUT", bucket + "/new/?renameObject", "lab", {{"x-amz-rename-source", "d/"}});
  };
  ASSERT_EQ(status("PUT", "/open", "lab", {{"x-amz-acl", "public-read-write"}}), 200);
  ASSERT_EQ(status("PUT", "/open/d/k", "shop", {}, "v"), 200);
  EXPECT_EQ(move("/open"), 403);
  ASSERT_EQ(status("PUT", "/own1", "lab", {{"x-amz-object-ownership", "BucketOwnerEnforced"}}),
            200);
  ASSERT_EQ(status("PUT", "/own1/d/k", "lab", {}, "v"), 200);
  EXPECT_EQ(move("/own1"), 200);
  EXPECT_EQ(status("GET", "/own1/new/k", "lab"), 200);
}

// While a body is on its way, the name of the bucket goes to somebody else.
TEST_F(AccountRaces, ABucketThatChangesHandsIsNotWrittenTo) {
  const std::map<std::string, std::string> requests{
      {"?policy", R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*",
                      "Action":"s3:GetObject","Resource":"arn:aws:s3:::x11/*"}})"},
      {"?publicAccessBlock",
       "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>"
       "</PublicAccessBlockConfiguration>"},
      {"?tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"},
      {"?ownershipControls",
       "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>"
       "</OwnershipControls>"},
      {"?versioning",
       "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"},
      {"?acl", "<AccessControlPolicy/>"},
      {"/k", "0123456789"}};
  for (const auto& [what, body] : requests) {
    ASSERT_EQ(status("PUT", "/x11", "lab"), 200);
    const auto hand_over = [&] {
      EXPECT_EQ(status("DELETE", "/x11", "lab"), 204);
      EXPECT_EQ(status("PUT", "/x11", "shop"), 200);
    };
    const Reply reply =
        send("PUT", "/x11" + what, as("lab"), {.text = body, .before_read = hand_over});
    EXPECT_EQ(code(reply), "OperationAborted") << what;
    EXPECT_EQ(texts(send("GET", "/x11", as("shop")).body, "Key"), Names{}) << what;
    EXPECT_EQ(status("DELETE", "/x11", "shop"), 204) << what;
  }
  // Users of the first account may do everything with buckets that there are not.
  add_user("alice", {R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*",
                        "Resource":"*"}})"});
  const auto make = [&] { EXPECT_EQ(status("PUT", "/x11", "lab"), 200); };
  EXPECT_EQ(code(send("PUT", "/x11?policy", as("alice"),
                      {.text = requests.at("?policy"), .before_read = make})),
            "OperationAborted");
  EXPECT_EQ(send("GET", "/x11?policy", as("lab")).status, 404);
}

TEST_F(AccountRaces, AnAccountHasSoManyBucketsAndNoMore) {
  for (std::size_t n = 0; n < kMaxAccountBuckets; ++n) {
    ASSERT_EQ(status("PUT", "/lab-" + std::to_string(n), "lab"), 200);
  }
  EXPECT_EQ(code(send("PUT", "/lab-more", as("lab"))), "TooManyBuckets");
  EXPECT_EQ(status("PUT", "/shop1", "shop"), 200);
  EXPECT_EQ(status("PUT", "/first", "", {}), 403);
  EXPECT_EQ(send("PUT", "/first").status, 200);
  EXPECT_EQ(status("DELETE", "/lab-0", "lab"), 204);
  EXPECT_EQ(status("PUT", "/lab-more", "lab"), 200);
}

}  // namespace
}  // namespace outcrop::s3::test
