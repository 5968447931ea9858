// Where the root credential comes from, and which credentials and files are refused.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "auth/key_store.h"

namespace outcrop::auth {
namespace {

class RootCredential : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "auth_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    x_dir = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(x_dir); }

  std::filesystem::path file() const { return x_dir / "credentials"; }
  void write(std::string_view text, mode_t mode = 0600) {
    std::ofstream(file()) << text;
    ASSERT_EQ(::chmod(file().c_str(), mode), 0);
  }
  Result<Credential> load(std::string access = "", std::string secret = "") {
    return load_root_credential({std::move(access), std::move(secret), x_dir}, x_random);
  }
  std::string refusal(std::string access = "", std::string secret = "") {
    const Result<Credential> result = load(std::move(access), std::move(secret));
    if (result) {
      return "accepted";
    }
    EXPECT_EQ(result.error().code(), Errc::config);
    return std::string(result.error().detail());
  }

  std::filesystem::path x_dir;
  SystemRandom x_random;
};

TEST_F(RootCredential, ConfigurationWins) {
  write("access_key=FROMFILE\nsecret_key=secret-of-the-file\n");
  const auto credential = load("alice", "long-enough-secret");
  ASSERT_TRUE(credential);
  EXPECT_EQ(credential->access_key, "alice");
  EXPECT_EQ(credential->secret_key, "long-enough-secret");
  EXPECT_TRUE(credential->root);
}

TEST_F(RootCredential, GeneratedOnceAndKept) {
  const auto first = load();
  ASSERT_TRUE(first) << first.error().describe();
  EXPECT_EQ(first->access_key.size(), 20U);
  EXPECT_EQ(first->secret_key.size(), 40U);
  EXPECT_TRUE(first->root);
  EXPECT_TRUE(check_credential(*first));
  struct stat status{};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(x_dir), {}), 1);

  const auto second = load();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->access_key, first->access_key);
  EXPECT_EQ(second->secret_key, first->secret_key);

  std::filesystem::remove(file());
  EXPECT_NE(load()->secret_key, first->secret_key);
}

TEST_F(RootCredential, ALeftoverOfACrashIsReplaced) {
  std::ofstream(file().string() + ".new") << "access_key=HALF";
  EXPECT_TRUE(load());
  EXPECT_FALSE(std::filesystem::exists(file().string() + ".new"));
}

TEST_F(RootCredential, AFileOthersCanReadIsRefused) {
  for (const mode_t mode : {0640, 0604, 0660, 0610, 0777}) {
    write("access_key=FROMFILE\nsecret_key=secret-of-the-file\n", mode);
    EXPECT_NE(refusal().find("run chmod 600 " + file().string()), std::string::npos) << mode;
  }
  write("access_key=FROMFILE\nsecret_key=secret-of-the-file\n", 0400);
  EXPECT_EQ(refusal(), "accepted");
}

TEST_F(RootCredential, AFileThatDoesNotParseIsRefusedWithoutItsText) {
  for (const char* text :
       {"", "access_key=ABC\n", "secret_key=abcdefgh12\n", "access_key=ABC\nsecret_key=\n",
        "access_key=ABC\nsecret_key=PLANTEDSECRET\nmore=1\n",
        "access_key=ABC\nsecret_key=PLANTEDSECRET\nsecret_key=PLANTEDSECRET\n",
        "access_key=ABC\nsecretkey=PLANTEDSECRET\n", "access_key=ABC\n\nPLANTEDSECRET\n"}) {
    write(text);
    const std::string why = refusal();
    EXPECT_NE(why.find(file().string()), std::string::npos) << text;
    EXPECT_EQ(why.find("PLANTEDSECRET"), std::string::npos) << text;
  }
  write(std::string(5000, 'x'));
  EXPECT_NE(refusal().find("too large"), std::string::npos);
}

TEST_F(RootCredential, LinksAndFoldersAreRefused) {
  std::filesystem::create_directory(file());
  EXPECT_NE(refusal(), "accepted");
  std::filesystem::remove(file());
  std::ofstream(x_dir / "elsewhere") << "access_key=ABC\nsecret_key=abcdefgh12\n";
  std::filesystem::create_symlink(x_dir / "elsewhere", file());
  EXPECT_NE(refusal(), "accepted");
}

TEST_F(RootCredential, AMissingStateFolderIsAnError) {
  x_dir /= "absent";
  EXPECT_NE(refusal().find("cannot write"), std::string::npos);
}

TEST_F(RootCredential, HalfAPairIsRefused) {
  EXPECT_NE(refusal("alice", "").find("both"), std::string::npos);
  EXPECT_NE(refusal("", "long-enough-secret").find("both"), std::string::npos);
}

TEST_F(RootCredential, FormOfKeys) {
  EXPECT_EQ(refusal("abc", "12345678"), "accepted");
  EXPECT_EQ(refusal(std::string(128, 'a'), std::string(128, 'b')), "accepted");
  for (const std::string& access : {std::string("ab"), std::string(129, 'a'), std::string("a/b"),
                                    std::string("a b"), std::string("a,b"), std::string("a=b")}) {
    EXPECT_NE(refusal(access, "12345678").find("an access key"), std::string::npos) << access;
  }
  for (const std::string& secret : {std::string("1234567"), std::string(129, 'a'),
                                    std::string("1234 5678"), std::string("1234567\n8")}) {
    EXPECT_NE(refusal("alice", secret).find("a secret key"), std::string::npos) << secret;
  }
  EXPECT_NE(refusal("same-same", "same-same").find("the same"), std::string::npos);
}

TEST(StaticKeyStore, FindsWhatItWasGiven) {
  const StaticKeyStore store({{"a", "1"}, {"b", "2", true}});
  EXPECT_EQ(store.find("a")->secret_key, "1");
  EXPECT_FALSE(store.find("a")->root);
  EXPECT_TRUE(store.find("b")->root);
  EXPECT_FALSE(store.find(""));
  EXPECT_FALSE(store.find("c"));
}

}  // namespace
}  // namespace outcrop::auth
