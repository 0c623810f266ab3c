// What a story saved, and the texts that are made of it.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

class Placeholders {
 public:
  explicit Placeholders(nlohmann::json saved) : saved_(std::move(saved)) {}
  void Save(const std::string& name, nlohmann::json value) { saved_[name] = std::move(value); }
  nlohmann::json Fill(const nlohmann::json& value, long now);

 private:
  std::string Of(std::vector<std::string> words, long now);

  nlohmann::json saved_;
};
