// What survives a restart of NFS: keys, ids, exports; and what is not taken for it.
#include "server/export_registry.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "server/private_file.h"

namespace outcrop::server {
namespace {

namespace fs = std::filesystem;

nfs::Export sample(std::string path) {
  nfs::Export e;
  e.path = std::move(path);
  e.bucket = "b";
  e.clients = {*nfs::parse_cidr("10.0.0.0/8")};
  return e;
}

class ExportRegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir = fs::temp_directory_path() / ("outcrop-registry-" + std::to_string(::getpid()));
    fs::create_directories(dir);
  }
  void TearDown() override { fs::remove_all(dir); }
  std::unique_ptr<ExportRegistry> open() {
    auto opened = ExportRegistry::open(dir, random);
    EXPECT_TRUE(opened.has_value()) << opened.error().detail();
    return *std::move(opened);
  }
  /// A start with these configured exports.
  struct Run {
    std::unique_ptr<ExportRegistry> registry;
    std::unique_ptr<nfs::ExportTable> table = std::make_unique<nfs::ExportTable>();
    nfs::ExportId id(std::string_view path) const {
      const nfs::ExportPtr e = table->find(path);
      return e ? e->id : nfs::ExportId{0};
    }
  };
  Run start(const std::vector<nfs::Export>& configured) {
    Run run{.registry = open()};
    EXPECT_TRUE(run.registry->publish(configured, *run.table).has_value());
    return run;
  }
  fs::path file() const { return dir / "nfs.json"; }
  void overwrite(const std::string& text) {
    std::ofstream(file(), std::ios::trunc) << text;
    ::chmod(file().c_str(), 0600);
  }

  SeededRandom random{1};
  fs::path dir;
};

TEST_F(ExportRegistryTest, IdsStayWithTheirPaths) {
  nfs::ExportId a = 0, b = 0;
  {
    const Run run = start({sample("/a"), sample("/b")});
    a = run.id("/a");
    b = run.id("/b");
    EXPECT_NE(a, b);
    EXPECT_NE(a, 0);
  }
  {
    const Run run = start({sample("/c"), sample("/b")});
    EXPECT_EQ(run.id("/b"), b);
    EXPECT_NE(run.id("/c"), a);  // although nobody uses it
    EXPECT_NE(run.id("/c"), 0);
  }
  EXPECT_EQ(start({sample("/b"), sample("/a")}).id("/a"), a);
}

TEST_F(ExportRegistryTest, HandlesOpenAfterARestart) {
  const nfs::Handle handle{.export_id = 1, .file = {.root = 5, .ino = 6}};
  const nfs::HandleBytes sealed = nfs::HandleCodec(open()->handle_keys()).seal(handle);
  EXPECT_EQ(nfs::HandleCodec(open()->handle_keys()).open(sealed), handle);
  const std::string id = open()->server_id();
  EXPECT_EQ(id.size(), 32u);
  EXPECT_EQ(open()->server_id(), id);
  fs::remove(file());
  EXPECT_FALSE(nfs::HandleCodec(open()->handle_keys()).open(sealed));
}

TEST_F(ExportRegistryTest, TheHandleKeyIsRotatedAndOneOldKeyStays) {
  constexpr std::int64_t kNow = 1'800'000'000;
  const nfs::Handle handle{.export_id = 1, .file = {.root = 5, .ino = 6}};
  const nfs::HandleBytes first = nfs::HandleCodec(open()->handle_keys()).seal(handle);
  ASSERT_TRUE(open()->rotate_key(random, kNow, false));
  const nfs::HandleCodec second(open()->handle_keys());
  EXPECT_EQ(second.open(first), handle);
  EXPECT_NE(second.seal(handle), first);
  // Again only when the interval is over: first's key would be forgotten.
  const auto early =
      open()->rotate_key(random, kNow + ExportRegistry::kRotationInterval - 1, false);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code(), Errc::conflict);
  EXPECT_EQ(open()->rotate_key(random, kNow - 100, false).error().code(), Errc::conflict);
  EXPECT_EQ(nfs::HandleCodec(open()->handle_keys()).open(first), handle);
  ASSERT_TRUE(open()->rotate_key(random, kNow + ExportRegistry::kRotationInterval, false));
  EXPECT_FALSE(nfs::HandleCodec(open()->handle_keys()).open(first));
  EXPECT_EQ(nfs::HandleCodec(open()->handle_keys()).open(second.seal(handle)), handle);
  ASSERT_TRUE(open()->rotate_key(random, kNow + ExportRegistry::kRotationInterval, true));
  EXPECT_FALSE(nfs::HandleCodec(open()->handle_keys()).open(second.seal(handle)));
}

TEST_F(ExportRegistryTest, AddedExportsStay) {
  nfs::Export e = sample("/added");
  e.prefix = "x/y";
  e.read_only = true;
  e.squash = nfs::Squash::all;
  e.anon_uid = 12;
  e.security = nfs::TransportSecurity::tls;
  nfs::ExportId id = 0;
  {
    const Run run = start({sample("/a")});
    const auto added = run.registry->add(e, *run.table);
    ASSERT_TRUE(added.has_value());
    id = (*added)->id;
    EXPECT_TRUE(run.registry->added("/added"));
    EXPECT_FALSE(run.registry->added("/a"));
    EXPECT_EQ(run.registry->add(e, *run.table).error().code(), Errc::already_exists);
    EXPECT_EQ(run.registry->add(sample("/a/below"), *run.table).error().code(),
              Errc::invalid_argument);
  }
  {
    const Run run = start({sample("/a")});
    e.id = id;
    ASSERT_NE(run.table->find("/added"), nullptr);
    EXPECT_EQ(*run.table->find("/added"), e);
    EXPECT_EQ(run.table->find("/a/below"), nullptr);
    EXPECT_TRUE(run.registry->remove("/added", *run.table).has_value());
    EXPECT_EQ(run.table->find("/added"), nullptr);
    EXPECT_EQ(run.registry->remove("/added", *run.table).error().code(), Errc::not_found);
    EXPECT_EQ(run.registry->remove("/a", *run.table).error().code(), Errc::invalid_argument);
  }
  const Run run = start({});
  EXPECT_EQ(run.table->list()->size(), 0u);
  ASSERT_TRUE(run.registry->add(sample("/added"), *run.table).has_value());
  EXPECT_EQ(run.id("/added"), id);
}

TEST_F(ExportRegistryTest, TheConfigurationFileGoesFirst) {
  {
    const Run run = start({});
    ASSERT_TRUE(run.registry->add(sample("/a"), *run.table).has_value());
  }
  nfs::Export configured = sample("/a");
  configured.bucket = "other";
  const Run run = start({configured});
  EXPECT_EQ(run.table->list()->size(), 1u);
  EXPECT_EQ(run.table->find("/a")->bucket, "other");
}

TEST_F(ExportRegistryTest, TheFileIsPrivate) {
  open();
  struct stat status{};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ::chmod(file().c_str(), 0640);
  const auto refused = ExportRegistry::open(dir, random);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), Errc::config);
  EXPECT_NE(refused.error().detail().find("chmod 600"), std::string_view::npos);
}

TEST_F(ExportRegistryTest, ADamagedFileIsNeitherUsedNorReplaced) {
  start({sample("/a"), sample("/b")});
  std::ifstream in(file());
  const std::string good(std::istreambuf_iterator<char>(in), {});
  const auto with = [&good](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  for (const std::string& text : {std::string(), std::string("{}"), good.substr(0, good.size() / 2),
                                  with("\"format\":1", "\"format\":2"),
                                  with("\"key\":\"", "\"key\":\"0"), with("\"/b\":2", "\"/b\":1"),
                                  with("\"/b\":2", "\"/b\":0"), with("\"/b\":2", "\"/b\":65536"),
                                  with("\"exports\":[", "\"exports\":[{\"path\":\"/x\"}")}) {
    overwrite(text);
    const auto opened = ExportRegistry::open(dir, random);
    ASSERT_FALSE(opened.has_value()) << text;
    EXPECT_EQ(opened.error().code(), Errc::config);
    EXPECT_NE(opened.error().detail().find("nfs.json"), std::string_view::npos);
    std::ifstream again(file());
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(again), {}), text);
  }
}

TEST_F(ExportRegistryTest, PrivateFileSizeLimit) {
  ASSERT_TRUE(write_private_file(file(), "12345").has_value());
  EXPECT_EQ(read_private_file(file(), 5)->value(), "12345");
  EXPECT_FALSE(read_private_file(file(), 4).has_value());
  EXPECT_EQ(*read_private_file(dir / "none", 4), std::nullopt);
}

}  // namespace
}  // namespace outcrop::server
