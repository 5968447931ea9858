// Runs a fuzz target over its stored corpus, so that every regression input is a plain test. A
// target may say at the end whether the corpus reached all that it is for.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

/// True, unless the target has one that looks.
extern "C" [[gnu::weak]] bool outcrop_corpus_reached_all() { return true; }

int main(int argc, char** argv) {
  std::size_t runs = 0;
  LLVMFuzzerTestOneInput(nullptr, 0);
  if (argc > 1 && std::filesystem::is_directory(argv[1])) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string bytes(std::istreambuf_iterator<char>(in), {});
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
      ++runs;
    }
  }
  std::printf("%zu corpus inputs\n", runs);
  return outcrop_corpus_reached_all() ? 0 : 1;
}
