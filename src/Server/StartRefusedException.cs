namespace Mfa.Server;

/// <summary>Something that an operator must mend before the program can run: one line that says what and how.</summary>
internal sealed class StartRefusedException(string message) : Exception(message);
