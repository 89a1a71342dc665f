import pytest

from modelshelf.install.told import source_in_words
from modelshelf.schema.model_source import URLModelSource


@pytest.mark.parametrize(
    "name", ["author", "design", "keyword", "monkey", "max_tokens", "id", "fileId", "type"]
)
def test_what_only_sounds_like_a_secret_stays(name: str) -> None:
    """Without it the address would be of another file, when the job is resumed and in the cache."""
    url = f"https://h.example/get?{name}=7"
    assert source_in_words(URLModelSource(url=url)) == url


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "access_token",
        "accessToken",
        "mytoken",
        "X-Amz-Signature",
        "X-Amz-Security-Token",
        "X-Amz-Credential",
        "sig",
        "key",
        "api_key",
        "apikey",
        "auth",
        "client_secret",
        "Password",
    ],
)
def test_a_secret_goes(name: str) -> None:
    """Whatever its host calls it."""
    source = URLModelSource(url=f"https://h.example/get?a=1&{name}=7&b=2")
    assert source_in_words(source) == "https://h.example/get?a=1&b=2"
