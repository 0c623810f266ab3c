#include "placeholders.h"

#include <openssl/hmac.h>

#include <algorithm>
#include <random>
#include <set>
#include <sstream>

using nlohmann::json;

namespace {

std::string SixDigits(unsigned number) {
  char text[16];
  std::snprintf(text, sizeof text, "%06u", number);
  return text;
}

std::string Totp(const std::string& secret, long seconds, int steps) {
  std::string key;
  unsigned buffer = 0, bits = 0;
  for (const char symbol : secret) {
    buffer = buffer << 5 | static_cast<unsigned>(std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567").find(symbol));
    if ((bits += 5) >= 8) key += static_cast<char>(buffer >> (bits -= 8));
  }
  unsigned char counter[8], digest[EVP_MAX_MD_SIZE];
  for (int i = 0; i < 8; i++) counter[i] = static_cast<unsigned char>((seconds / 30 + steps) >> (56 - 8 * i));
  HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), counter, sizeof counter, digest, nullptr);
  const unsigned char* at = digest + (digest[19] & 15);
  return SixDigits(((at[0] & 0x7fu) << 24 | at[1] << 16 | at[2] << 8 | at[3]) % 1000000);
}

std::string NewUuid() {
  std::random_device random;
  char text[37];
  std::snprintf(text, sizeof text, "%08x-%04x-4%03x-%x%03x-%08x%04x", random(), random() & 0xffff, random() & 0xfff, 8 | (random() & 3),
                random() & 0xfff, random(), random() & 0xffff);
  return text;
}

}  // namespace

json Placeholders::Fill(const json& value, long now) {
  if (value.is_object()) {
    json filled = json::object();
    for (const auto& [name, item] : value.items()) filled[name] = Fill(item, now);
    return filled;
  }
  if (!value.is_string()) return value;
  std::string text = value;
  for (auto open = text.find('{'); open != std::string::npos; open = text.find('{')) {
    const auto close = text.find('}', open);
    std::istringstream stream(text.substr(open + 1, close - open - 1));
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    text.replace(open, close - open + 1, Of(words, now));
  }
  return text;
}

std::string Placeholders::Of(std::vector<std::string> words, long now) {
  const auto word = words[0];
  const auto saved = [&](const std::string& name) { return saved_.at(name).get<std::string>(); };
  if (word == "totp") return Totp(saved(words[1]), now, words.size() > 2 ? std::stoi(words[2]) : 0);
  if (word == "wrong") {
    std::set<std::string> near;
    for (int steps = -3; steps <= 3; steps++) near.insert(Totp(saved(words[1]), now, steps));
    for (unsigned number = 0;; number++) {
      if (!near.count(SixDigits(number))) return SixDigits(number);
    }
  }
  if (word == "other_than") return SixDigits((std::stoul(saved(words[1])) + 1) % 1000000);
  if (word == "uuid") {
    const auto name = "uuid " + words[1];
    if (!saved_.contains(name)) saved_[name] = NewUuid();
    return saved(name);
  }
  if (word == "long") return std::string(std::stoul(words[1]), 'x');
  if (word == "lower" || word == "typo") {
    auto code = Of({words.begin() + 1, words.end()}, now);
    if (word == "typo") {
      code.back() = code.back() == '0' ? '1' : '0';
    } else {
      code.erase(std::remove(code.begin(), code.end(), '-'), code.end());
      std::transform(code.begin(), code.end(), code.begin(), [](unsigned char c) { return std::tolower(c); });
    }
    return code;
  }
  const auto dot = word.find('.');
  return dot == std::string::npos ? saved(word) : saved_.at(word.substr(0, dot)).at(std::stoul(word.substr(dot + 1))).get<std::string>();
}
