"""The adapters that ship with the service: one line each."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from app.domain.errors import InvalidError
from app.sources.amazon_connect import AmazonConnectAdapter
from app.sources.app_store import AppStoreAdapter
from app.sources.appfollow import AppFollowAdapter
from app.sources.asterisk import AsteriskAdapter
from app.sources.base import Adapter
from app.sources.binotel import BinotelAdapter
from app.sources.bitrix24 import Bitrix24Adapter
from app.sources.chatwoot import ChatwootAdapter
from app.sources.formbricks import FormbricksAdapter
from app.sources.freshdesk import FreshdeskAdapter
from app.sources.google_business import GoogleBusinessAdapter
from app.sources.google_forms import GoogleFormsAdapter
from app.sources.google_play import GooglePlayAdapter
from app.sources.hubspot import HubSpotAdapter
from app.sources.intercom import IntercomAdapter
from app.sources.jotform import JotformAdapter
from app.sources.livechat import LiveChatAdapter
from app.sources.messenger import MessengerAdapter
from app.sources.plivo import PlivoAdapter
from app.sources.qualtrics import QualtricsAdapter
from app.sources.salesforce import SalesforceAdapter
from app.sources.segment import SegmentAdapter
from app.sources.shopify import ShopifyAdapter
from app.sources.surveymonkey import SurveyMonkeyAdapter
from app.sources.telegram import TelegramAdapter
from app.sources.trustpilot import TrustpilotAdapter
from app.sources.twilio import TwilioAdapter
from app.sources.typeform import TypeformAdapter
from app.sources.viber import ViberAdapter
from app.sources.whatsapp import WhatsAppAdapter
from app.sources.yelp import YelpAdapter
from app.sources.zendesk import ZendeskAdapter

_ALL: tuple[Adapter, ...] = (
    AmazonConnectAdapter(),
    AppFollowAdapter(),
    AppStoreAdapter(),
    AsteriskAdapter(),
    BinotelAdapter(),
    Bitrix24Adapter(),
    ChatwootAdapter(),
    FormbricksAdapter(),
    FreshdeskAdapter(),
    GoogleBusinessAdapter(),
    GoogleFormsAdapter(),
    GooglePlayAdapter(),
    HubSpotAdapter(),
    IntercomAdapter(),
    JotformAdapter(),
    LiveChatAdapter(),
    MessengerAdapter(),
    PlivoAdapter(),
    QualtricsAdapter(),
    SalesforceAdapter(),
    SegmentAdapter(),
    ShopifyAdapter(),
    SurveyMonkeyAdapter(),
    TelegramAdapter(),
    TrustpilotAdapter(),
    TwilioAdapter(),
    TypeformAdapter(),
    ViberAdapter(),
    WhatsAppAdapter(),
    YelpAdapter(),
    ZendeskAdapter(),
)
ADAPTERS: Mapping[str, Adapter] = {adapter.name: adapter for adapter in _ALL}


def get_adapter(name: str) -> Adapter:
    """The adapter of that partner. Raises InvalidError naming the nearest one."""
    adapter = ADAPTERS.get(name)
    if adapter is None:
        near = get_close_matches(name, ADAPTERS, n=1)
        raise InvalidError(
            "unknown_adapter",
            f"no adapter is named {name[:60]!r}",
            pointer="/adapter",
            cure=f"Did you mean {near[0]!r}?" if near else "Use a mapping document for this source.",
        )
    return adapter
