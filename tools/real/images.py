"""Facts of ECR, from one image of a few bytes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tools.real.facts import Found, Need, fact
from tools.real.world import World

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


def _repository(world: World, name: str) -> tuple[Any, str]:
    ecr, full = world.client("ecr"), f"{world.name}-{name}"
    world.remove_later(f"repository {full}", lambda: ecr.delete_repository(repositoryName=full, force=True))
    ecr.create_repository(repositoryName=full)
    return ecr, full


def _upload(ecr: Any, repository: str, blob: bytes) -> str:  # noqa: ANN401 - a boto3 client has no type here
    digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
    upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    last = len(blob) - 1
    ecr.upload_layer_part(
        repositoryName=repository, uploadId=upload, partFirstByte=0, partLastByte=last, layerPartBlob=blob
    )
    ecr.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=[digest])
    return digest


def push_image(ecr: Any, repository: str, tag: str, content: str = "") -> str:  # noqa: ANN401 - likewise
    """Push an image of one tiny layer and return its digest; another `content` makes another image."""
    config, layer = json.dumps({"architecture": "amd64", "os": "linux", "author": content}).encode(), b"ecs-cd" * 20
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": _CONFIG, "size": len(config), "digest": _upload(ecr, repository, config)},
        "layers": [{"mediaType": _LAYER, "size": len(layer), "digest": _upload(ecr, repository, layer)}],
    }
    return _put(ecr, repository, tag, manifest)


def _put(ecr: Any, repository: str, tag: str, manifest: dict[str, Any]) -> str:  # noqa: ANN401 - likewise
    text = json.dumps(manifest)
    digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    ecr.put_image(
        repositoryName=repository,
        imageManifest=text,
        imageManifestMediaType=manifest["mediaType"],
        imageTag=tag,
        imageDigest=digest,  # ECR refuses another one
    )
    return digest


def _described(ecr: Any, repository: str, tag: str) -> dict[str, Any]:  # noqa: ANN401 - likewise
    found: dict[str, Any]
    [found] = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])["imageDetails"]
    return found


@fact("image-media-type", "DescribeImages says of an image which kind its manifest is", Need.AWS)
def image_media_type(world: World) -> Found:
    """Push an image and describe it by its tag."""
    ecr, repository = _repository(world, "media-type")
    push_image(ecr, repository, "1")
    kind = _described(ecr, repository, "1").get("imageManifestMediaType")
    return Found(str(kind), kind == MANIFEST)


@fact("index-digest", "DescribeImages by the tag of an index has the index's digest and kind", Need.AWS)
def index_digest(world: World) -> Found:
    """Push an index of one image and describe it by its tag."""
    ecr, repository = _repository(world, "index")
    child = push_image(ecr, repository, "child")
    stored = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": "child"}])["images"][0]
    entry = {
        "mediaType": MANIFEST,
        "digest": child,
        "size": len(stored["imageManifest"]),
        "platform": {"os": "linux", "architecture": "amd64"},
    }
    pushed = _put(ecr, repository, "index", {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]})
    found = _described(ecr, repository, "index")
    same, kind = found["imageDigest"] == pushed, found.get("imageManifestMediaType")
    return Found(f"{'the index' if same else 'another'} digest, {kind}", same and kind == INDEX)


@fact("tag-moves", "a tag that is pushed again moves, and DescribeImages has the new digest at once", Need.AWS)
def tag_moves(world: World) -> Found:
    """Push another image under the same tag and describe the tag."""
    ecr, repository = _repository(world, "tag-moves")
    former = push_image(ecr, repository, "1")
    newer = push_image(ecr, repository, "1", content="another")
    found = _described(ecr, repository, "1")["imageDigest"]
    names = {former: "the former digest", newer: "the new digest"}
    return Found(names.get(found, "a third digest"), found == newer)
