// A folder of audit files that a test looks into and tampers with.
#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "auth/audit/verify.h"

namespace outcrop::audit::test {

class Folder : public ::testing::Test {
 protected:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "audit-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
  }
  ~Folder() override { std::filesystem::remove_all(folder); }

  std::filesystem::path file(unsigned number = 0) const {
    return folder / (number == 0 ? "audit.log" : "audit.log." + std::to_string(number));
  }
  static std::string read(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void write(const std::filesystem::path& path, std::string_view text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  }
  static std::vector<std::string> lines(const std::filesystem::path& path) {
    std::vector<std::string> out;
    std::ifstream in(path, std::ios::binary);
    for (std::string line; std::getline(in, line);) {
      out.push_back(line);
    }
    return out;
  }
  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> out;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      out.push_back(entry.path());
    }
    return out;
  }
  Verdict verify() const { return verify_chain(files()); }
  std::string why() const {
    const Verdict verdict = verify();
    return verdict.intact() ? "" : verdict.problems.front();
  }

  std::filesystem::path folder;
};

}  // namespace outcrop::audit::test
