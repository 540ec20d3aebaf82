"""Starting points for a journey map: touchpoints of an industry by stage, in Ukrainian, Russian, English."""

from __future__ import annotations

from typing import Any, Final

LANGUAGES: Final = ("uk", "ru", "en")

# key | parent | stage | k for a key touchpoint | channels | uk | ru | en
_ROWS: Final = {
    "retail": """
advertising||before||social,web|Реклама|Реклама|Advertising
website||before|k|web|Сайт|Сайт|Web site
storefront||before||store|Вивіска, паркування, вхід|Вывеска, парковка, вход|Sign, parking, entrance
shop_floor||purchase|k|store|Торгова зала|Торговый зал|Shop floor
consultant|shop_floor|purchase|k|store|Консультант|Консультант|Shop assistant
checkout|shop_floor|purchase|k|store|Каса|Касса|Checkout
delivery||waiting|k|sms,messenger|Доставка|Доставка|Delivery
order_status|delivery|waiting||sms,app|Статус замовлення|Статус заказа|Order status
returns||after||store,call|Повернення та обмін|Возврат и обмен|Returns
support||after|k|call,chat|Підтримка|Поддержка|Support
loyalty||after||app,email|Програма лояльності|Программа лояльности|Loyalty programme
""",
    "restaurant": """
maps_reviews||before||review|Карти та відгуки|Карты и отзывы|Maps and reviews
booking||before|k|call,web|Бронювання|Бронирование|Booking
hall||purchase||store|Зала та атмосфера|Зал и атмосфера|Hall and atmosphere
waiter|hall|purchase|k|store|Офіціант|Официант|Waiter
kitchen||purchase|k|store|Страви|Блюда|Dishes
waiting_food|kitchen|waiting||store|Очікування страви|Ожидание блюда|Waiting for the dish
bill||purchase||store|Рахунок|Счёт|The bill
takeaway||waiting|k|app,call|Доставка|Доставка|Delivery
complaint_desk||after|k|call,social|Робота зі скаргами|Работа с жалобами|Handling of complaints
invitation_back||after||email,messenger|Запрошення повернутися|Приглашение вернуться|Invitation to return
""",
    "telecom": """
tariff_page||before||web,app|Сторінка тарифів|Страница тарифов|Tariff page
shop_visit||purchase|k|store|Салон зв'язку|Салон связи|Shop visit
connection||waiting|k|call,sms|Підключення|Подключение|Connection
fitter|connection|waiting|k|store|Майстер|Мастер|Fitter
call_centre||after|k|call|Контакт-центр|Контакт-центр|Call centre
online_chat||after|k|chat|Онлайн-чат|Онлайн-чат|Online chat
app||after||app|Застосунок|Приложение|App
billing||after|k|sms,email|Рахунки|Счета|Billing
outage||after||sms|Повідомлення про аварії|Сообщения об авариях|Outage notices
leaving||after||call|Розірвання договору|Расторжение договора|Leaving
""",
    "e_commerce": """
search||before||web|Пошук і реклама|Поиск и реклама|Search and ads
product_page||before|k|web,app|Картка товару|Карточка товара|Product page
basket||purchase|k|web,app|Кошик і оплата|Корзина и оплата|Basket and payment
confirmation||waiting||email,sms|Підтвердження замовлення|Подтверждение заказа|Confirmation
order_status||waiting|k|sms,messenger|Статус замовлення|Статус заказа|Order status
courier||waiting|k|call|Кур'єр|Курьер|Courier
pickup||waiting||store|Пункт видачі|Пункт выдачи|Pick-up point
unpacking||after||other|Розпакування|Распаковка|Unpacking
returns||after|k|web,call|Повернення|Возврат|Returns
support||after|k|chat,call|Підтримка|Поддержка|Support
review||after||review|Відгук|Отзыв|Review
""",
}

TEMPLATES: Final = tuple(_ROWS)


def template(industry: str, language: str) -> list[dict[str, Any]]:
    """The touchpoints of an industry with titles in a language, as the map takes them. Raises KeyError."""
    items: list[dict[str, Any]] = []
    for place, line in enumerate(_ROWS[industry].strip().splitlines()):
        key, parent, stage, is_key, channels, *titles = line.split("|")
        items.append(
            {
                "key": key,
                "title": titles[LANGUAGES.index(language)],
                "parent": parent or None,
                "stage": stage,
                "place": place,
                "is_key": bool(is_key),
                "channels": channels.split(","),
            }
        )
    return items
